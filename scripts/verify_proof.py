#!/usr/bin/env python3
"""Checks offline that a record stands in the log: scripts/verify_proof.py proof.json

Needs nothing but Python. Recomputes the path from the record's digest to the root (RFC 9162, section 2.1.3.2, over SM3) and
compares the root with the one in the checkpoint's text. The checkpoint's SM2 signature is checked by `sanjiang audit verify`,
or by any SM2 implementation with the node's public key.
"""
import base64, json, sys


def sm3(message):
    rol = lambda x, n: ((x << n % 32) | (x >> (32 - n % 32))) & 0xFFFFFFFF if n % 32 else x
    state = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    data = message + b"\x80" + bytes(-(len(message) + 9) % 64) + (len(message) * 8).to_bytes(8, "big")
    for at in range(0, len(data), 64):
        w = [int.from_bytes(data[at + i:at + i + 4], "big") for i in range(0, 64, 4)]
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ rol(w[j - 3], 15)
            w.append(x ^ rol(x, 15) ^ rol(x, 23) ^ rol(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            s1 = rol((rol(a, 12) + e + rol(0x79CC4519 if j < 16 else 0x7A879D8A, j)) & 0xFFFFFFFF, 7)
            t1 = ((a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)) + d + (s1 ^ rol(a, 12)) + (w[j] ^ w[j + 4])) & 0xFFFFFFFF
            t2 = ((e ^ f ^ g if j < 16 else (e & f) | (~e & g)) + h + s1 + w[j]) & 0xFFFFFFFF
            a, b, c, d, e, f, g, h = t1, a, rol(b, 9), c, t2 ^ rol(t2, 9) ^ rol(t2, 17), e, rol(f, 19), g
        state = [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in state)


def root_of(leaf, index, size, path):
    last, node = size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = sm3(b"\x01" + sibling + node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = sm3(b"\x01" + node + sibling)
        index, last = index >> 1, last >> 1
    return node if last == 0 else None


def main():
    proof = json.load(open(sys.argv[1], encoding="utf-8"))
    root = root_of(sm3(b"\x00" + bytes.fromhex(proof["digest"])), proof["leafIndex"], proof["treeSize"],
                   [bytes.fromhex(node) for node in proof["path"]])
    _, size, signed = proof["checkpoint"].split("\n")[:3]
    holds = root is not None and root == base64.b64decode(signed) and int(size) == proof["treeSize"]
    print(f"record {proof['record']}: leaf {proof['leafIndex']} of {proof['treeSize']}: {'holds' if holds else 'DOES NOT HOLD'}")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
