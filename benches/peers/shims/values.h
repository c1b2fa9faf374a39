/* What the shims hand over: pointers into the library's own message, alive until it is released.
 * NULL and -1 are "not there". src/peers/c.rs has the same structure. */
#ifndef PEER_VALUES_H
#define PEER_VALUES_H

#include <stddef.h>

struct values {
    const char *method;
    long status;
    const char *via_transport, *via_host, *via_port, *via_branch;
    const char *from_user, *from_host, *from_tag;
    const char *to_user, *to_host, *to_tag;
    const char *call_id;
    long cseq;
    const char *cseq_method;
    const char *contact_user, *contact_host, *contact_port, *contact_instance, *contact_expires;
    const char *auth_scheme, *auth_username, *auth_token;
    long max_forwards, content_length, expires;
    /* Where the library has no type for the header. */
    const char *max_forwards_text, *expires_text;
};

static const struct values nothing = {
    .status = -1, .cseq = -1, .max_forwards = -1, .content_length = -1, .expires = -1,
};

#endif
