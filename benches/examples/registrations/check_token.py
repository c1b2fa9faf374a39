"""Checks an access token of Unified CM's form for Kamailio: its signature, then what is encrypted in it.

The libraries are imported by the process that judges, when it has its first token: they share OpenSSL with Kamailio,
which has told it by then where to allocate. Imported earlier they end Kamailio. The keys are read once.
"""

import json
import os
import time


def mod_init():
    return Tokens()


class Tokens:
    def __init__(self):
        self.check = None

    def child_init(self, rank):
        return 0

    def holds(self, message, credentials):
        if self.check is None:
            self.check = checker(os.environ["TOKEN_FOLDER"], os.environ["TOKEN_ISSUER"])
        try:
            # Bearer token="..."
            self.check(credentials.split('"')[1])
            return 1
        except Exception:
            return -1


def checker(folder, issuer):
    import jwt
    from cryptography.hazmat.primitives import hashes, hmac
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.constant_time import bytes_eq
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from jwt.utils import base64url_decode

    with open(os.path.join(folder, "signing-key.pem"), "rb") as file:
        signing_key = load_pem_public_key(file.read())
    with open(os.path.join(folder, "encryption-key.txt")) as file:
        key = bytes.fromhex(file.read())
    # RFC 7518 section 5.2.3: A128CBC-HS256.
    mac_key, cipher = key[:16], algorithms.AES(key[16:])

    def decrypt(text):
        header, _, *parts = text.split(".")
        iv, ciphertext, tag = map(base64url_decode, parts)
        aad = header.encode()
        mac = hmac.HMAC(mac_key, hashes.SHA256())
        mac.update(aad + iv + ciphertext + (8 * len(aad)).to_bytes(8, "big"))
        if not bytes_eq(mac.finalize()[:16], tag):
            raise ValueError("tag")
        decryptor = Cipher(cipher, modes.CBC(iv)).decryptor()
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        return padded[: -padded[-1]]

    def check(token):
        private = jwt.decode(token, signing_key, algorithms=["RS256"])["private"]
        # An unsecured JWT, which the signature around it secures.
        _, payload, _ = decrypt(private).split(b".")
        claims = json.loads(base64url_decode(payload))
        if claims["iss"] != issuer or claims["exp"] <= time.time():
            raise ValueError("claims")

    return check
