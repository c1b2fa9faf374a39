#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_header.h>
#include <string.h>

#include "values.h"

void *sofia_peer_parse(const char *bytes, size_t length)
{
    msg_t *message = msg_make(sip_default_mclass(), 0, bytes, (ssize_t) length);
    if (message == NULL)
        return NULL;
    const sip_t *sip = sip_object(message);
    if (sip == NULL || (sip->sip_request == NULL && sip->sip_status == NULL)) {
        msg_destroy(message);
        return NULL;
    }
    return message;
}

void sofia_peer_free(void *message) { msg_destroy(message); }

/* 0 when neither the parse nor the library's own check found fault. */
int sofia_peer_judge(const void *message)
{
    const sip_t *sip = sip_object((msg_t *) message);
    return MSG_HAS_ERROR(sip->sip_flags) || msg_is_complete(message) == 0
        || sip->sip_error != NULL || sip_sanity_check(sip) != 0;
}

void sofia_peer_head(void *from, struct values *out)
{
    const sip_t *sip = sip_object(from);
    *out = nothing;
    if (sip->sip_request)
        out->method = sip->sip_request->rq_method_name;
    else
        out->status = sip->sip_status->st_status;
}

size_t sofia_peer_fields(const void *from)
{
    const sip_t *sip = sip_object((msg_t *) from);
    const msg_header_t *header = sip->sip_request ? (const msg_header_t *) sip->sip_request
                                                  : (const msg_header_t *) sip->sip_status;
    size_t count = 0;
    for (header = header->sh_succ; header; header = header->sh_succ)
        if (header != (const msg_header_t *) sip->sip_separator
            && header != (const msg_header_t *) sip->sip_payload)
            count++;
    return count;
}

void sofia_peer_ten(void *from, struct values *out)
{
    const sip_t *sip = sip_object(from);
    sofia_peer_head(from, out);

    if (sip->sip_via) {
        const char *transport = strrchr(sip->sip_via->v_protocol, '/');
        out->via_transport = transport ? transport + 1 : sip->sip_via->v_protocol;
        out->via_host = sip->sip_via->v_host;
        out->via_port = sip->sip_via->v_port;
        out->via_branch = sip->sip_via->v_branch;
    }
    if (sip->sip_from) {
        out->from_user = sip->sip_from->a_url->url_user;
        out->from_host = sip->sip_from->a_url->url_host;
        out->from_tag = sip->sip_from->a_tag;
    }
    if (sip->sip_to) {
        out->to_user = sip->sip_to->a_url->url_user;
        out->to_host = sip->sip_to->a_url->url_host;
        out->to_tag = sip->sip_to->a_tag;
    }
    if (sip->sip_call_id)
        out->call_id = sip->sip_call_id->i_id;
    if (sip->sip_cseq) {
        out->cseq = sip->sip_cseq->cs_seq;
        out->cseq_method = sip->sip_cseq->cs_method_name;
    }
    if (sip->sip_contact) {
        out->contact_user = sip->sip_contact->m_url->url_user;
        out->contact_host = sip->sip_contact->m_url->url_host;
        out->contact_port = sip->sip_contact->m_url->url_port;
        out->contact_instance = msg_params_find(sip->sip_contact->m_params, "+sip.instance=");
        out->contact_expires = sip->sip_contact->m_expires;
    }
    if (sip->sip_proxy_authorization) {
        const msg_auth_t *proof = sip->sip_proxy_authorization;
        out->auth_scheme = proof->au_scheme;
        out->auth_username = msg_params_find(proof->au_params, "username=");
        out->auth_token = msg_params_find(proof->au_params, "token=");
        if (out->auth_token == NULL && proof->au_params)
            out->auth_token = proof->au_params[0];
    }
    if (sip->sip_max_forwards)
        out->max_forwards = (long) sip->sip_max_forwards->mf_count;
    if (sip->sip_content_length)
        out->content_length = sip->sip_content_length->l_length;
    if (sip->sip_expires)
        out->expires = (long) sip->sip_expires->ex_delta;
}
