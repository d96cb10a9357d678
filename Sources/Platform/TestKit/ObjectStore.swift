/// A store that speaks S3 over files of a folder (`folder/bucket/key`): path-style, listings of two keys a page, and every
/// request's signature computed anew by the published algorithm of AWS's signature version 4.
///
/// Objects whose names begin with `cut-` break off half-way, `stall-` stop half-way, `busy-` answer 503; all that is written
/// does while there is a file `busy` in the folder. `If-None-Match: *` is obeyed unless there is a file `unconditional`, as
/// some stores do not. Objects are copied within the store by `x-amz-copy-source`.
package enum ObjectStore {
  package static let region = "qh-1"
  package static let accessKey = "AKIDSANJIANG"
  package static let secret = "s3cr3t/with+marks=&"

  package static func start(in folder: String) throws -> ScriptServer {
    try ScriptServer(script, [folder, region, accessKey, secret])
  }

  private static let script = #"""
    import hashlib, hmac, re, urllib.parse
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    folder, region, access, secret = ARGS

    def sign(key, text): return hmac.new(key, text.encode(), hashlib.sha256).digest()

    class Store(BaseHTTPRequestHandler):
      protocol_version = 'HTTP/1.1'
      def log_message(self, *a): pass

      def answer(self, status, body=b'', headers=(), size=None):
        self.send_response(status)
        for name, value in headers: self.send_header(name, value)
        self.send_header('Content-Length', str(len(body) if size is None else size))
        self.end_headers()
        if self.command != 'HEAD': self.wfile.write(body)

      def admitted(self):
        m = re.fullmatch(r'AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})', self.headers.get('Authorization', ''))
        if not m or m[1] != access or m[3] != region: return False
        names = m[4].split(';')
        if not {'host', 'x-amz-date', 'x-amz-content-sha256'} <= set(names): return False
        path, _, query = self.path.partition('?')
        pairs = sorted((urllib.parse.unquote(k), urllib.parse.unquote(v)) for k, _, v in (p.partition('=') for p in query.split('&') if p))
        quote = lambda t: urllib.parse.quote(t, safe='-_.~')
        canonical = '\n'.join([self.command, urllib.parse.quote(urllib.parse.unquote(path), safe='/-_.~'),
          '&'.join(f'{quote(k)}={quote(v)}' for k, v in pairs),
          ''.join(f'{n}:{" ".join(self.headers[n].split())}\n' for n in names), m[4], self.headers['x-amz-content-sha256']])
        scope = f'{m[2]}/{region}/s3/aws4_request'
        text = '\n'.join(['AWS4-HMAC-SHA256', self.headers['x-amz-date'], scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ('AWS4' + secret).encode()
        for part in [m[2], region, 's3', 'aws4_request']: key = sign(key, part)
        return hmac.compare_digest(sign(key, text).hex(), m[5])

      def file(self):
        path = urllib.parse.unquote(self.path.partition('?')[0])
        return path[1:], os.path.join(folder, path[1:])

      def do_GET(self):
        if not self.admitted(): return self.answer(403, b'<Error><Code>SignatureDoesNotMatch</Code></Error>')
        name, path = self.file()
        if '/' not in name: return self.list(name, path)
        if not os.path.isfile(path): return self.answer(404, b'<Error><Code>NoSuchKey</Code></Error>')
        body = open(path, 'rb').read()
        tag = '"' + hashlib.md5(body).hexdigest() + '"'
        if self.headers.get('If-Match', tag) != tag: return self.answer(412)
        short = os.path.basename(path)
        if self.command == 'GET' and short.startswith('busy-'): return self.answer(503)
        if self.command == 'GET' and short.startswith(('cut-', 'stall-')):
          self.answer(200, body[:len(body) // 2], [('ETag', tag)], size=len(body))
          self.wfile.flush()
          if short.startswith('stall-'): time.sleep(60)
          self.close_connection = True
          return
        self.answer(200, body, [('ETag', tag)], size=len(body))
      do_HEAD = do_GET

      def list(self, bucket, path):
        q = dict(urllib.parse.parse_qsl(self.path.partition('?')[2], keep_blank_values=True))
        if not os.path.isdir(path): return self.answer(404, b'<Error><Code>NoSuchBucket</Code></Error>')
        keys = sorted(os.path.relpath(os.path.join(d, f), path) for d, _, fs in os.walk(path) for f in fs)
        begin = max(q.get('continuation-token', '')[::-1], q.get('start-after', ''))
        keys = [k for k in keys if k.startswith(q['prefix'])]
        inner = lambda k: q.get('delimiter', '\0') in k[len(q['prefix']):]
        folders = sorted({q['prefix'] + k[len(q['prefix']):].split('/')[0] + '/' for k in keys if inner(k)})
        keys = [k for k in keys if not inner(k) and k > begin]
        page, rest = keys[:2], keys[2:]
        esc = lambda t: t.replace('&', '&amp;').replace('<', '&lt;').replace('"', '&quot;')
        body = '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Delimiter>/</Delimiter><EncodingType/>'
        for k in page:
          file = os.path.join(path, k)
          data = open(file, 'rb').read()
          at = time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(os.stat(file).st_mtime))
          body += f'<Contents><Key>{esc(k)}</Key><LastModified>{at}</LastModified><ETag>&quot;{hashlib.md5(data).hexdigest()}&quot;</ETag><Size>{len(data)}</Size><Owner><ID>x</ID></Owner></Contents>'
        body += f'<IsTruncated>{"true" if rest else "false"}</IsTruncated>'
        if rest: body += f'<NextContinuationToken>{esc(page[-1][::-1])}</NextContinuationToken>'
        # All folders stand on the first page.
        if begin: folders = []
        body += ''.join(f'<CommonPrefixes><Prefix>{esc(f)}</Prefix></CommonPrefixes>' for f in folders)
        self.answer(200, (body + '</ListBucketResult>').encode(), [('Content-Type', 'application/xml')])

      def do_PUT(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        if not self.admitted(): return self.answer(403)
        name, path = self.file()
        if os.path.basename(path).startswith('busy-') or os.path.exists(os.path.join(folder, 'busy')): return self.answer(503)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if self.headers.get('x-amz-copy-source'):
          source = os.path.join(folder, urllib.parse.unquote(self.headers['x-amz-copy-source'])[1:])
          if not os.path.isfile(source): return self.answer(404, b'<Error><Code>NoSuchKey</Code></Error>')
          part = os.path.join(folder, '.part' + str(threading.get_ident()))
          open(part, 'wb').write(open(source, 'rb').read())
          os.replace(part, path)
          return self.answer(200, b'<CopyObjectResult><ETag>x</ETag></CopyObjectResult>')
        if self.headers.get('If-None-Match') == '*' and not os.path.exists(os.path.join(folder, 'unconditional')):
          # Written aside and linked: of two only one succeeds.
          part = os.path.join(folder, '.part' + str(threading.get_ident()))
          open(part, 'wb').write(body)
          try: os.link(part, path)
          except FileExistsError: return self.answer(412)
          finally: os.unlink(part)
        else: open(path, 'wb').write(body)
        self.answer(200)

      def do_DELETE(self):
        if not self.admitted(): return self.answer(403)
        name, path = self.file()
        if os.path.isfile(path): os.unlink(path)
        self.answer(204)

    ThreadingHTTPServer(('127.0.0.1', PORT), Store).serve_forever()
    """#
}
