#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "values.h"

void *osip_peer_parse(const char *bytes, size_t length)
{
    static int started;
    if (!started) {
        started = parser_init() == 0;
        /* It would print every refusal. */
        osip_trace_initialize(OSIP_FATAL, stderr);
    }
    osip_message_t *message;
    if (osip_message_init(&message) != 0)
        return NULL;
    if (osip_message_parse(message, bytes, length) != 0) {
        osip_message_free(message);
        return NULL;
    }
    return message;
}

void osip_peer_free(void *from)
{
    osip_message_t *message = from;
    osip_free(message->application_data);
    osip_message_free(message);
}

int osip_peer_judge(const void *message)
{
    (void) message; /* the parse is the only check */
    return 0;
}

void osip_peer_head(void *from, struct values *out)
{
    const osip_message_t *message = from;
    *out = nothing;
    out->method = message->sip_method;
    out->status = message->sip_method ? -1 : message->status_code;
}

/* The library keeps no list of fields: what it holds is counted, a list by its entries. */
size_t osip_peer_fields(const void *from)
{
    const osip_message_t *m = from;
    const osip_list_t *lists[] = {
        &m->accepts, &m->accept_encodings, &m->accept_languages, &m->alert_infos, &m->allows,
        &m->authentication_infos, &m->authorizations, &m->call_infos, &m->contacts,
        &m->content_encodings, &m->error_infos, &m->proxy_authenticates,
        &m->proxy_authentication_infos, &m->proxy_authorizations, &m->record_routes, &m->routes,
        &m->vias, &m->www_authenticates, &m->headers,
    };
    size_t count = (m->call_id != NULL) + (m->content_length != NULL) + (m->content_type != NULL)
        + (m->cseq != NULL) + (m->from != NULL) + (m->mime_version != NULL) + (m->to != NULL);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        count += (size_t) osip_list_size(lists[i]);
    return count;
}

static const char *param(osip_list_t *params, const char *name)
{
    osip_generic_param_t *found = NULL;
    osip_generic_param_get_byname(params, (char *) name, &found);
    return found ? found->gvalue : NULL;
}

void osip_peer_ten(void *from, struct values *out)
{
    osip_message_t *m = from;
    osip_peer_head(m, out);

    osip_via_t *via = osip_list_get(&m->vias, 0);
    if (via) {
        out->via_transport = via->protocol;
        out->via_host = via->host;
        out->via_port = via->port;
        out->via_branch = param(&via->via_params, "branch");
    }
    if (m->from && m->from->url) {
        out->from_user = m->from->url->username;
        out->from_host = m->from->url->host;
        out->from_tag = param(&m->from->gen_params, "tag");
    }
    if (m->to && m->to->url) {
        out->to_user = m->to->url->username;
        out->to_host = m->to->url->host;
        out->to_tag = param(&m->to->gen_params, "tag");
    }
    /* The library holds it in two halves; the whole is freed with the message. */
    char *call_id = NULL;
    if (m->call_id && osip_call_id_to_str(m->call_id, &call_id) == 0)
        m->application_data = call_id;
    out->call_id = call_id;
    if (m->cseq) {
        out->cseq = strtol(m->cseq->number, NULL, 10);
        out->cseq_method = m->cseq->method;
    }
    osip_contact_t *contact = osip_list_get(&m->contacts, 0);
    if (contact && contact->url) {
        out->contact_user = contact->url->username;
        out->contact_host = contact->url->host;
        out->contact_port = contact->url->port;
        out->contact_instance = param(&contact->gen_params, "+sip.instance");
        out->contact_expires = param(&contact->gen_params, "expires");
    }
    osip_proxy_authorization_t *proof = osip_list_get(&m->proxy_authorizations, 0);
    if (proof) {
        out->auth_scheme = proof->auth_type;
        out->auth_username = proof->username;
        out->auth_token = proof->auth_param;
    }
    if (m->content_length)
        out->content_length = strtol(m->content_length->value, NULL, 10);
    osip_header_t *header = NULL;
    if (osip_message_header_get_byname(m, "max-forwards", 0, &header) >= 0 && header)
        out->max_forwards_text = header->hvalue;
    header = NULL;
    if (osip_message_header_get_byname(m, "expires", 0, &header) >= 0 && header)
        out->expires_text = header->hvalue;
}
