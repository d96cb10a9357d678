#!/usr/bin/env python3
"""Checks offline that a record stands in the log: scripts/verify_proof.py proof.json [--key HEX]
Or that the receipts of a delivery are those that both offices signed: scripts/verify_proof.py delivery.json [--key HEX …]

Needs nothing but Python. Computes the record's digest from what the proof says of it, then the path from there to the root
(RFC 9162, section 2.1.3.2, over SM3), and compares the root with the one in the checkpoint's text. With --key, the node's
public key as /audit/checkpoints shows it (130 hexadecimal digits), the checkpoint's SM2 signature is checked too; without it
anybody could have written the checkpoint, and the answer says so.

A delivery is the answer of /api/v1/deliveries/ID: of each receipt the digest and the SM2 signature are checked, and the lines
that both sides know are compared. --key, given for each office, says whose keys they have to be.

Exit code: 0 it holds, 1 it does not, 2 wrong usage or not a proof.
"""
import argparse, base64, binascii, json, re, sys


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


# The curve of GB/T 32918.5.
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
     0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)


def add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0] and (p[1] + q[1]) % P == 0:
        return None
    slope = (3 * p[0] * p[0] + A) * pow(2 * p[1], -1, P) if p == q else (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def times(k, p):
    total = None
    while k:
        total, p, k = add(total, p) if k & 1 else total, add(p, p), k >> 1
    return total


def sm2_verifies(key, signature, message):
    """GB/T 32918.2 with the standard id; the signature is DER of r and s."""
    numbers = re.fullmatch(rb"\x30(.)\x02(.)(.*)", signature, re.S)
    if not numbers or numbers[1][0] != len(signature) - 2:
        return False
    length, rest = numbers[2][0], numbers[3]
    if len(rest) < length + 3 or rest[length] != 2 or rest[length + 1] != len(rest) - length - 2:
        return False
    r, s = int.from_bytes(rest[:length], "big"), int.from_bytes(rest[length + 2:], "big")
    x, y = int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
    if not (0 < r < N and 0 < s < N) or (r + s) % N == 0:
        return False
    number = lambda n: n.to_bytes(32, "big")
    name = b"1234567812345678"
    z = sm3((8 * len(name)).to_bytes(2, "big") + name + number(A) + number(B) + number(G[0]) + number(G[1]) + key[1:])
    point = add(times(s, G), times((r + s) % N, (x, y)))
    return point is not None and (int.from_bytes(sm3(z + message), "big") + point[0]) % N == r


def is_key(key):
    x, y = int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
    return len(key) == 65 and key[0] == 4 and x < P and y < P and (y * y - x * x * x - A * x - B) % P == 0


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


class NotAProof(Exception):
    pass


def part(of, name, kind, optional=False):
    if name not in of:
        raise NotAProof(f"“{name}” is missing")
    value = of[name]
    # `True` and 0.0 pass for numbers in Python; a leaf is counted in whole ones.
    if type(value) is not kind and not (optional and value is None):
        raise NotAProof(f"“{name}” should be {'a whole number' if kind is int else 'of another kind'}, not {value!r}")
    return value


def hash_of(text):
    if type(text) is not str or not re.fullmatch("[0-9a-f]{64}", text):
        raise NotAProof(f"{text!r} is not 64 hexadecimal digits")
    return bytes.fromhex(text)


def record_digest(record, fields):
    lines = ["sanjiang audit 1", record, part(fields, "at", str)]
    lines += [part(fields, name, str, optional=True) or "" for name in ("actor", "organisation")]
    lines += [part(fields, name, str) for name in ("action", "subjectKind", "subject")]
    lines.append(part(fields, "grant", str, optional=True) or "")
    escaped = lambda text: text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return sm3("".join(escaped(line) + "\n" for line in lines).encode() + hash_of(part(fields, "payloadDigest", str)))


def checkpoint_of(note):
    """Origin, size, root, the signed text and the signatures' lines (C2SP tlog-checkpoint)."""
    body, gap, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if not gap or len(lines) != 3 or not re.fullmatch("0|[1-9][0-9]{0,17}", lines[1]):
        raise NotAProof("“checkpoint” is not a signed checkpoint's text")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error:
        raise NotAProof("the checkpoint's root is not base64")
    return lines[0], int(lines[1]), root, (body + "\n").encode(), signatures.splitlines()


def is_signed(origin, text, signatures, key):
    name = sm3(origin.encode() + b"\n\xe2" + key)[:4]
    for line in signatures:
        words = line.split(" ")
        if len(words) == 3 and words[0] == "—" and words[1] == origin:
            try:
                blob = base64.b64decode(words[2], validate=True)
            except binascii.Error:
                continue
            if blob[:4] == name and sm2_verifies(key, blob[4:], text):
                return True
    return False


def faults_of(proof, key):
    """What does not hold, in words; nothing when it all does."""
    record, fields = part(proof, "record", str), part(proof, "fields", dict)
    index, size = part(proof, "leafIndex", int), part(proof, "treeSize", int)
    digest, path = hash_of(part(proof, "digest", str)), [hash_of(node) for node in part(proof, "path", list)]
    origin, signed_size, signed_root, text, signatures = checkpoint_of(part(proof, "checkpoint", str))
    if not 0 <= index < size:
        return [f"there is no leaf {index} in a tree of {size}: leaves are counted from 0"]
    faults = []
    if record_digest(record, fields) != digest:
        faults.append("the digest is not that of this record")
    if signed_size != size:
        faults.append(f"the checkpoint is of {signed_size} leaves, the proof of {size}")
    if hash_of(part(proof, "root", str)) != signed_root:
        faults.append("“root” is not the checkpoint's")
    if root_of(sm3(b"\x00" + digest), index, size, path) != signed_root:
        faults.append("the path does not lead to the checkpoint's root")
    if key is not None and not is_signed(origin, text, signatures, key):
        faults.append("the checkpoint is not signed by this key")
    return faults


# What only one side knows, or each says for itself.
OWN_LINES = {"side", "read", "unchanged", "without-cursor", "started", "finished", "filtered", "rule", "from", "removed"}


def receipt_faults(delivery, keys):
    """What does not hold of a delivery's receipts, in words; nothing when it all does."""
    faults, said = [], {}
    receipts = part(delivery, "receipts", list)
    if not receipts:
        return ["it has no receipts"]
    for receipt in receipts:
        if type(receipt) is not dict:
            raise NotAProof("a receipt is not an object")
        side, body = part(receipt, "side", str), part(receipt, "body", str)
        key, signature = part(receipt, "publicKey", str, optional=True), part(receipt, "signature", str, optional=True)
        if sm3(body.encode()) != hash_of(part(receipt, "digest", str)):
            faults.append(f"the {side}'s digest is not that of its text")
        if key is None or signature is None:
            faults.append(f"the {side}'s receipt is not signed")
            continue
        try:
            key, signature = bytes.fromhex(key), bytes.fromhex(signature)
        except ValueError:
            raise NotAProof(f"the {side}'s key or signature is not hexadecimal")
        if not is_key(key) or not sm2_verifies(key, signature, body.encode()):
            faults.append(f"the {side}'s signature does not hold")
        if keys and key not in keys:
            faults.append(f"the {side}'s key is none of those given")
        said[side] = [line for line in body.splitlines() if line.split(" ")[0] not in OWN_LINES]
    if set(said) == {"provider", "consumer"} and said["provider"] != said["consumer"]:
        faults.append("the two sides do not say the same")
    return faults


def check_receipts(delivery, keys):
    faults = receipt_faults(delivery, keys)
    print(f"{len(delivery['receipts'])} receipts of delivery {part(delivery, 'id', str)!r}: {'DO NOT HOLD' if faults else 'hold'}")
    for fault in faults:
        print(f"  {fault}")
    if not keys:
        print("whose keys they are was NOT checked: give --key for each office")
    sys.exit(1 if faults else 0)


def main():
    reader = argparse.ArgumentParser(description="Checks offline that a record stands in the log.")
    reader.add_argument("proof", help="the file proof.json, downloaded from a record's page")
    reader.add_argument(
        "--key", action="append", default=[], help="the node's public key in hexadecimal, as /audit/checkpoints shows it")
    given = reader.parse_args()
    keys = [bytes.fromhex(key) if re.fullmatch("[0-9a-fA-F]{130}", key) else b"" for key in given.key]
    if not all(key and is_key(key) for key in keys):
        reader.error("--key: not an SM2 public key: 130 hexadecimal digits that begin with 04")
    key = keys[0] if keys else None
    try:
        with open(given.proof, encoding="utf-8") as file:
            proof = json.load(file)
        if type(proof) is not dict:
            raise NotAProof("it is not a JSON object")
        if "receipts" in proof:
            check_receipts(proof, keys)
        faults = faults_of(proof, key)
        for name in ("at", "action", "subjectKind", "subject"):
            part(proof["fields"], name, str)
    except OSError as error:
        reader.error(f"{given.proof}: {error.strerror}")
    except (NotAProof, ValueError, RecursionError) as error:
        print(f"{given.proof} is not a proof: {error}", file=sys.stderr)
        sys.exit(2)
    # A forged proof must not write lines of its own into the answer.
    shown = lambda text: "".join(c if c.isprintable() else "?" for c in text)
    said = [shown(part(proof["fields"], name, str)) for name in ("at", "action", "subjectKind", "subject")]
    print(f"record {shown(proof['record'])} ({said[0]}, {said[1]}, {said[2]} {said[3]})")
    print(f"leaf {proof['leafIndex']} of {proof['treeSize']}: {'DOES NOT HOLD' if faults else 'holds'}")
    for fault in faults:
        print(f"  {fault}")
    if key is None:
        print("signature NOT checked: give --key, the node's public key from /audit/checkpoints")
    elif not faults:
        print("signature: this key's")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
