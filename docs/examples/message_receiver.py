#!/usr/bin/env python3
"""A receiver of Sanjiang's messages (docs/messages.md) to copy from: Python's own modules only, tables in SQLite.

    MESSAGE_SECRET=… python3 message_receiver.py --port 8085 --database received.db [--table person …]

It listens on this machine only: put a web server with HTTPS in front of it. Every message is one transaction.
"""
import argparse, base64, hashlib, hmac, json, os, sqlite3, sys, threading, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FORMAT = "sanjiang-messages/1"
# Decimals stay text, so that no digit is lost; dates and times are text that sorts.
TYPES = {"text": "TEXT", "integer": "INTEGER", "double": "REAL", "boolean": "BOOLEAN", "date": "DATE",
         "timestamp": "TIMESTAMP", "bytes": "BLOB"}


def sm3(data=b""):
    return hashlib.new("sm3", data)

def quoted(name):
    return '"' + name.replace('"', '""') + '"'

class Refused(Exception):  # Nothing was done; the answer says why.
    def __init__(self, status, **said):
        super().__init__(status)
        self.status, self.said = status, said

class Store:
    def __init__(self, path, tables):
        self.tables, self.lock = tables, threading.Lock()
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self.db.row_factory = sqlite3.Row
        self.db.executescript("""
            PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE IF NOT EXISTS sj_stream (tbl TEXT PRIMARY KEY, stream TEXT, fence INTEGER, number INTEGER,
                id TEXT, answer TEXT, offset TEXT, shape TEXT);
            CREATE TABLE IF NOT EXISTS sj_message (tbl TEXT, number INTEGER, body BLOB, PRIMARY KEY (tbl, number));
            CREATE TABLE IF NOT EXISTS sj_batch (tbl TEXT, batch INTEGER, record TEXT, PRIMARY KEY (tbl, batch));""")

    def stream(self, table, stream):
        if self.tables and table not in self.tables:
            raise Refused(404, error="this table is not taken here")
        row = self.db.execute("SELECT * FROM sj_stream WHERE tbl = ?", (table,)).fetchone()
        if row and row["stream"] != stream:
            raise Refused(409, stream=row["stream"])
        return row

    def look(self, parts, query):  # What is asked by GET.
        if parts == [""]:
            return {"format": FORMAT}
        row = self.stream(parts[0], query["stream"])
        if len(parts) == 1:
            count = row and self.db.execute(f"SELECT count(*) FROM {quoted(parts[0])}").fetchone()[0]
            return {"offset": row and json.loads(row["offset"]), "rows": count or 0}
        if len(parts) == 2 and parts[1] == "batches":
            rows = self.db.execute("SELECT record FROM sj_batch WHERE tbl = ? AND batch BETWEEN ? AND ? ORDER BY batch",
                                   (parts[0], int(query["from"]), int(query["through"])))
            return {"batches": [json.loads(row[0]) for row in rows]}
        if len(parts) == 3 and parts[1] == "messages":
            for row in self.db.execute("SELECT body FROM sj_message WHERE tbl = ? AND number = ?",
                                       (parts[0], int(parts[2]))):
                return row[0]
        raise Refused(404, error="nothing is here")

    def take(self, table, body):  # All of the message and its offset in one transaction, or nothing.
        self.db.execute("BEGIN IMMEDIATE")
        try:
            answer = self.carry_out(table, body)
            self.db.execute("COMMIT")
            return answer
        finally:
            if self.db.in_transaction: self.db.execute("ROLLBACK")

    def carry_out(self, table, body):
        head, _, lines = body.partition(b"\n")
        try:
            message = json.loads(head)
            changes = [json.loads(line) for line in lines.split(b"\n") if line]
            whole = message["format"] == FORMAT and message["table"] == table and message["lines"] == len(changes)
        except (ValueError, KeyError, TypeError):
            whole = False
        digest = sm3(lines).hexdigest()
        if not whole or digest != message["sm3"]:
            raise Refused(400, error="this is no whole message of this table")
        row = self.stream(table, message["stream"])
        fence, number = (row["fence"], row["number"]) if row else (0, 0)
        if message["fence"] < fence:
            raise Refused(409, fence=fence)
        if row and message["number"] == number and message["id"] == row["id"]:
            return json.loads(row["answer"])  # It was done already.
        if message["number"] != number + 1:
            raise Refused(409, number=number)
        shape = {"columns": message["columns"], "key": message["key"]} if not row else json.loads(row["shape"])
        if not row:
            self.make(table, **shape)
        elif message["kind"] == "take" and (message["columns"], message["key"]) != (shape["columns"], shape["key"]):
            raise Refused(422, error="the table has other columns: agree on them; then drop it, and its sj_stream line")
        for change in changes:
            self.change(table, message["batch"], change, **shape)
        answer = {"number": number + 1, "rows": message["puts"], "sm3": digest}
        self.db.execute("INSERT OR REPLACE INTO sj_stream VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        (table, message["stream"], message["fence"], number + 1, message["id"], json.dumps(answer),
                         json.dumps(message["offset"]), json.dumps(shape)))
        self.db.execute("DELETE FROM sj_message WHERE tbl = ? AND number < ?", (table, message["keep"]))
        self.db.execute("INSERT OR REPLACE INTO sj_message VALUES (?, ?, ?)", (table, number + 1, body))
        if "record" in message:
            self.db.execute("INSERT OR REPLACE INTO sj_batch VALUES (?, ?, ?)",
                            (table, message["record"]["batch"], json.dumps(message["record"])))
        return answer

    def make(self, table, columns, key):
        kinds = [TYPES.get(c["type"]) or "DECIMAL_TEXT" + c["type"][7:] for c in columns]
        names = ", ".join(f"{quoted(c['name'])} {kind}" for c, kind in zip(columns, kinds))
        self.db.execute(f"CREATE TABLE {quoted(table)} ({names}, sj_batch INTEGER, sj_stale_batch INTEGER, "
                        f"PRIMARY KEY ({', '.join(quoted(k) for k in key)}))")

    def change(self, table, batch, change, columns, key):
        (what, values), = change.items()
        for name in [c["name"] for c in columns if c["type"] == "bytes" and what == "put"]:
            values[name] = None if values[name] is None else base64.b64decode(values[name])
        where = " AND ".join(f"{quoted(name)} = ?" for name in key)
        if what == "put":
            marks = ", ".join("?" for _ in columns)
            self.db.execute(f"INSERT OR REPLACE INTO {quoted(table)} VALUES ({marks}, ?, NULL)",
                            [values[c["name"]] for c in columns] + [batch])
        elif what == "delete":
            self.db.execute(f"DELETE FROM {quoted(table)} WHERE {where}", [values[name] for name in key])
        elif what == "stale":
            self.db.execute(f"UPDATE {quoted(table)} SET sj_stale_batch = ? WHERE {where}",
                            [batch] + [values[name] for name in key])
        elif what == "clear":
            self.db.execute(f"DELETE FROM {quoted(table)}")
        elif what == "drop_before":
            self.db.execute(f"DELETE FROM {quoted(table)} WHERE sj_batch < ? AND coalesce(sj_stale_batch, 0) < ?",
                            (values, values))
        else:
            raise Refused(400, error="an unknown change")

class Handler(BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", 65536
    store, secret, longest = None, b"", 0

    def log_message(self, *_): pass

    def reply(self, status, said):
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, signed, act):  # To who knows the secret, one after the other.
        try:
            wanted = "hmac-sm3=" + hmac.new(self.secret, signed, sm3).hexdigest()
            if not hmac.compare_digest(self.headers.get("Sanjiang-Signature", "").encode(), wanted.encode()):
                raise Refused(401, error="the signature is wrong")
            address = urllib.parse.urlsplit(self.path)
            parts = [urllib.parse.unquote(part) for part in address.path.split("/")[1:]]
            with self.store.lock:
                said = act(parts, dict(urllib.parse.parse_qsl(address.query)))
        except Refused as refused:
            return self.reply(refused.status, refused.said)
        except sqlite3.OperationalError:
            return self.reply(500, {"error": "the database is in trouble"})
        except (LookupError, ValueError, TypeError, sqlite3.Error):
            return self.reply(400, {"error": "the request is malformed"})
        self.reply(200, said)

    def do_GET(self):
        self.answer(b"GET " + self.path.encode(), self.store.look)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        if length > self.longest:
            self.close_connection = True
            return self.reply(413, {"error": "the message is too long"})
        body = self.rfile.read(length)
        if len(body) == length:
            self.answer(body, lambda parts, _: self.store.take(parts[0], body))

def main():
    options = argparse.ArgumentParser(description="Receives Sanjiang's messages into SQLite.")
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--database", required=True)
    options.add_argument("--table", action="append", help="a table that is taken; without any, all are")
    options.add_argument("--most-kib", type=int, default=65536, help="KiB that a message may have")
    options = options.parse_args()
    try:
        sm3()
    except ValueError:
        sys.exit("This Python's OpenSSL has no SM3 (OpenSSL 1.1.1 and later have, where it was not left out).")
    Handler.secret, Handler.longest = os.environ.get("MESSAGE_SECRET", "").encode(), options.most_kib << 10
    if len(Handler.secret) < 16:
        sys.exit("Set MESSAGE_SECRET to the shared secret, of 16 bytes at least.")
    Handler.store = Store(options.database, options.table)
    ThreadingHTTPServer(("127.0.0.1", options.port), Handler).serve_forever()

if __name__ == "__main__":
    main()
