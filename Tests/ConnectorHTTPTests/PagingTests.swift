import Connecting
import Foundation
import Kernel
import Remote
import TestKit
import Testing

@testable import ConnectorHTTP

/// An API over ROWS rows that pages in every way there is, and misbehaves on demand.
private let api = #"""
  import json, urllib.parse
  from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
  count = int(ARGS[0])
  rows = [{'id': f'{i:05d}', 'n': i, 'city': {'name': f'市{i % 3}'}, 'v': None if i % 5 else i / 4} for i in range(count)]
  for i in range(7, count, 50): del rows[i]['id']
  state = {'busy': 0}

  class API(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *a): pass

    def answer(self, status, body=b'', **headers):
      body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
      self.send_response(status)
      for name, value in headers.items(): self.send_header(name.replace('_', '-'), value)
      self.send_header('Content-Length', str(len(body)))
      self.end_headers()
      self.wfile.write(body)

    def do_GET(self):
      path, _, query = self.path.partition('?')
      q = dict(urllib.parse.parse_qsl(query))
      size = min(int(q.get('size', q.get('limit', 40))), 40)
      def page(start): return rows[start:start + size]
      if path == '/page': return self.answer(200, {'data': {'list': page((int(q['page']) - 1) * size), 'total': count}})
      if path == '/last': return self.answer(200, page(min(int(q['page']) - 1, (count - 1) // size) * size))
      if path == '/short': return self.answer(200, {'list': page((int(q['page']) - 1) * size), 'total': count + 3})
      if path == '/offset': return self.answer(200, page(int(q['offset'])))
      if path == '/cursor':
        start = int(q.get('cursor', 0))
        return self.answer(200, {'items': page(start), 'next': start + size if start + size < count else None})
      if path == '/next':
        start = int(q.get('from', 0))
        return self.answer(200, {'items': page(start), 'next': f'/next?from={start + size}' if start + size < count else ''})
      if path == '/link':
        start = int(q.get('from', 0))
        link = f'<http://127.0.0.1:{PORT}/link?from=0>; rel="first", <http://127.0.0.1:{PORT}/link?from={start + size}>; rel="next"'
        return self.answer(200, page(start), Link=link if start + size < count else '<x>; rel="first"')
      if path == '/away': return self.answer(200, {'items': page(0), 'next': ARGS[1]})
      if path == '/round': return self.answer(200, {'items': page(0), 'next': 'x'})
      if path == '/move': return self.answer(302, Location='/all')
      if path == '/door': return self.answer(200, page(0)) if self.headers.get('X-Key') == 'geheim 42' else self.answer(401)
      if path == '/busy':
        state['busy'] += 1
        if state['busy'] % 3: return self.answer(429 if state['busy'] % 2 else 503, Retry_After='1')
        return self.answer(200, page(0))
      if path == '/never': return self.answer(503, Retry_After='600')
      if path == '/fail': return self.answer(500)
      if path == '/cut':
        self.send_response(200); self.send_header('Content-Length', '10000'); self.end_headers()
        self.wfile.write(b'[{"id":"1"},'); self.close_connection = True; return
      if path == '/stall':
        self.send_response(200); self.send_header('Content-Length', '10000'); self.end_headers()
        self.wfile.write(b'[{"id":"1"},'); self.wfile.flush(); time.sleep(30); return
      if path == '/html': return self.answer(200, b'<html>please sign in</html>')
      if path == '/odd': return self.answer(200, b'{"list":{}}')
      if path == '/mixed': return self.answer(200, b'[{"id":"a","n":1},7,{"id":"b","n":2,"n":3},{"id":"\\x","n":12345678901234567890},null]')
      if path == '/huge':
        self.send_response(200); self.end_headers(); self.close_connection = True
        try:
          self.wfile.write(b'[')
          while True: self.wfile.write(b'{"id":"' + b'x' * 65536 + b'"},')
        except OSError: return
      if path == '/all': return self.answer(200, rows)
      self.answer(404)

  ThreadingHTTPServer(('127.0.0.1', PORT), API).serve_forever()
  """#

private let count = 210
private let running = Result { try ScriptServer(api, ["\(count)", "https://evil.example/next"]) }

private func connector(_ path: String, _ settings: [String: String]) throws -> HTTPConnector {
  let all = ["address": try running.get().base + path, "paging": "none"].merging(settings) { $1 }
  #expect(HTTPConnector.kind.check(all).isEmpty)
  let opened = try #require(try ConnectorCatalog([HTTPConnector.kind]).open("http", all) as? HTTPConnector)
  var source = opened.source
  source.limits.stall = .seconds(2)
  source.patience = .seconds(8)
  return HTTPConnector(source)
}

private func plan(
  _ table: String, _ columns: [ReadPlan.Column] = [.init("id", .text), .init("n", .integer)], after: [UInt8]? = nil
)
  -> ReadPlan
{ ReadPlan(table: TableName(table), columns: columns, key: [0], range: .full(after: after)) }

private func readAll(_ connector: HTTPConnector, _ plan: ReadPlan, capacity: Int = 1 << 20) throws
  -> (keyed: [[RowField]], keyless: [[RowField]], positions: [[UInt8]])
{
  let reader = try connector.openReader(plan)
  defer { reader.close() }
  let batch = RowBatch(capacity: capacity)
  var result: (keyed: [[RowField]], keyless: [[RowField]], positions: [[UInt8]]) = ([], [], [])
  while true {
    switch try reader.read(into: batch) {
    case .rows:
      result.keyed += (0..<batch.rowCount).map { batch.fields($0) }
      result.positions.append(reader.position)
    case .rowsWithoutKey: result.keyless += (0..<batch.rowCount).map { batch.fields($0) }
    case .end: return result
    }
  }
}

private func error(_ body: () throws -> Void) -> ConnectorError? {
  do {
    try body()
    return nil
  } catch { return error as? ConnectorError }
}

private let whole: [[RowField]] = (0..<count).filter { $0 % 50 != 7 }.map { index in
  [
    .value(Array(String("\(100_000 + index)".dropFirst()).utf8)),
    .value(withUnsafeBytes(of: Int64(index).bigEndian) { [UInt8]($0) }),
  ]
}

/// Where each list is found whole.
private let pagings: [(path: String, settings: [String: String])] = [
  ("/page", ["paging": "page", "list": "/data/list", "total": "/data/total", "size": "40"]),
  ("/page", ["paging": "page", "list": "/data/list", "size": "500"]), ("/offset", ["paging": "offset", "size": "500"]),
  ("/cursor", ["paging": "cursor", "list": "/items", "pointer": "/next"]),
  ("/next", ["paging": "next", "list": "/items", "pointer": "/next"]), ("/link", ["paging": "link"]), ("/all", [:]),
]

@Suite(.serialized) struct `An API's list` {
  @Test(arguments: pagings)
  func `comes whole however it is paged, rows without a key last`(path: String, settings: [String: String]) throws {
    // An API that gives 40 rows at most however many are asked for must still be read to its end.
    let api = try connector(path, settings)
    let read = try readAll(api, plan(String(path.dropFirst())))
    #expect(read.keyed == whole)
    #expect(read.keyless.count == 5)
  }

  @Test func `goes on after every position, and not when its rows are others`() throws {
    let api = try connector("/page", ["paging": "page", "list": "/data/list", "fields": "id=/id,n=/n,big=/city"])
    let columns = [ReadPlan.Column("id", .text), .init("n", .integer)]
    let all = try readAll(api, plan("page", columns), capacity: 1000)
    #expect(all.positions.count > 3)
    for place in all.positions {
      let rest = try readAll(api, plan("page", columns, after: place))
      #expect(rest.keyed == Array(whole.suffix(rest.keyed.count)) && rest.keyless.count == 5)
    }
    var other = all.positions[1]
    other[12] ^= 1
    let changed = error { _ = try readAll(api, plan("page", columns, after: other)) }
    #expect(changed?.code == "http.changed" && changed?.kind == .contract)
  }

  @Test func `that repeats, never moves, lacks rows or leads elsewhere is no end`() throws {
    for (path, settings, code) in [
      ("/last", ["paging": "page"], "http.endless"),
      ("/round", ["paging": "cursor", "list": "/items", "pointer": "/next"], "http.endless"),
      ("/short", ["paging": "page", "list": "/list", "total": "/total"], "http.incomplete"),
      ("/away", ["paging": "next", "list": "/items", "pointer": "/next"], "http.elsewhere"),
    ] {
      let fault = error { _ = try readAll(try connector(path, settings), plan(String(path.dropFirst()))) }
      #expect(fault?.code == code, "\(path): \(String(describing: fault))")
    }
  }

  @Test(arguments: [
    ("/move", "http.redirect", ConnectorError.Kind.permanent), ("/door", "http.login", .permanent),
    ("/fail", "http.status", .retryable),
    ("/cut", "remote.cut", .retryable), ("/stall", "remote.timeout", .retryable), ("/html", "http.json", .data),
    ("/odd", "contract.list-missing", .contract), ("/gone", "contract.table-missing", .contract),
    ("/never", "http.busy", .retryable),
    ("/huge", "remote.too-large", .permanent),
  ])
  func `that fails says how`(path: String, code: String, kind: ConnectorError.Kind) throws {
    let headers = path == "/door" ? "X-Key: geheim 43" : "X-Other: 1"
    let fault = error {
      _ = try readAll(
        try connector(path, ["list": path == "/odd" ? "/list" : "", "headers": headers]), plan(String(path.dropFirst()))
      )
    }
    #expect(fault?.code == code && fault?.kind == kind, "\(String(describing: fault))")
    #expect(!"\(String(describing: fault))".contains("geheim"))
  }

  @Test func `is given to who has the header, and waited for as long as it says`() throws {
    #expect(try readAll(try connector("/door", ["headers": "X-Key: geheim 42"]), plan("door")).keyed.count == 39)
    let begun = ContinuousClock.now
    #expect(try readAll(try connector("/busy", [:]), plan("busy")).keyed.count == 39)
    #expect(ContinuousClock.now - begun >= .seconds(2))
  }

  @Test func `with rows that are no objects has bad rows, and numbers to the last digit`() throws {
    let columns = [ReadPlan.Column("id", .text), .init("n", .decimal(precision: 20, scale: 0))]
    let read = try readAll(try connector("/mixed", [:]), plan("mixed", columns)).keyed
    #expect(read.count == 5)
    func fault(_ row: Int, _ column: Int) -> RowFault? {
      if case .malformed(let fault, _) = read[row][column] { fault } else { nil }
    }
    #expect((1..<5).map { fault($0, 0) } == [.brokenRecord, .brokenRecord, .invalidText, .brokenRecord])
    guard case .value(let digits) = read[3][1] else { return #expect(Bool(false)) }
    #expect(digits.withUnsafeBytes { CanonicalText.text(of: $0, as: columns[1].type) } == "12345678901234567890")
  }

  @Test func `has columns by what its first pages show, or by their places`() throws {
    let seen = try connector("/page", ["paging": "page", "list": "/data/list"]).describe(TableName("page"))
    #expect(seen.columns.map(\.name) == ["id", "n", "city", "v"])
    #expect(seen.columns.map(\.type) == [.text, .integer, .text, .decimal(precision: 18, scale: 2)])
    #expect(seen.columns.map(\.isNullable) == [true, false, false, true])
    let placed = try connector("/page", ["paging": "page", "list": "/data/list", "fields": "city=/city/name, id=/id"])
    #expect(try placed.describe(TableName("page")).columns.map(\.name) == ["city", "id"])
    let rows = try readAll(placed, plan("page", [.init("id", .text), .init("city", .text)])).keyed
    #expect(rows[1][1] == .value(Array("市1".utf8)))
    let missing = error { _ = try readAll(placed, plan("page", [.init("id", .text), .init("none", .text)])) }
    #expect(missing?.code == "contract.column-missing")
    let peeked = try placed.peek(TableName("page"), [.init("id", .text)], rows: 3, within: .seconds(5))
    #expect(peeked == [["00000"], ["00001"], ["00002"]])
  }

  @Test func `that stalls is left from another thread`() throws {
    var source = try connector("/stall", [:]).source
    source.limits.stall = .seconds(60)
    let reader = try HTTPConnector(source).openReader(plan("stall"))
    let interrupt = reader.interrupter
    BlockingThread.start {
      usleep(300_000)
      interrupt()
    }
    let begun = ContinuousClock.now
    let fault = error { _ = try reader.read(into: RowBatch()) }
    #expect(fault?.code == "remote.cancelled" && ContinuousClock.now - begun < .seconds(4))
    reader.close()
    interrupt()
  }

  @Test func `whose server dies between pages is tried again`() throws {
    let server = try ScriptServer(api, ["\(count)", ""])
    let settings = ["address": server.base + "/cursor", "paging": "cursor", "list": "/items", "pointer": "/next"]
    let reader = try ConnectorCatalog([HTTPConnector.kind]).open("http", settings).openReader(plan("cursor"))
    #expect(try reader.read(into: RowBatch(capacity: 500)) == .rows)
    server.kill()
    let fault = error { while try reader.read(into: RowBatch(capacity: 500)) != .end {} }
    #expect(fault?.kind == .retryable)
  }
}

@Suite struct `Settings of an API` {
  @Test(arguments: [
    (["address": "http://10.1.2.3/x"], "address"), (["address": "sftp://10.1.2.3/x"], "address"),
    (["paging": "all"], "paging"),
    (["paging": "cursor"], "pointer"), (["list": "data"], "list"), (["size": "0"], "size"),
    (["headers": "no colon"], "headers"),
    (["headers": "A b: c"], "headers"), (["fields": "a"], "fields"), (["fields": "a=b"], "fields"),
    (["fields": "a=/b,a=/c"], "fields"),
    (["fields": "a="], "fields"), (["tables": "a=https://evil.example/"], "tables"),
    (["tables": "a=/x,a=/y"], "tables"),
    (["zone": "east"], "zone"), (["first": "-1"], "first"),
  ])
  func `are judged before anything is asked`(change: [String: String], setting: String) {
    let good = ["address": "https://api.example.cn/v1/list", "paging": "page"]
    #expect(HTTPConnector.kind.check(good).isEmpty)
    #expect(HTTPConnector.kind.check(good.merging(change) { $1 }).map(\.setting) == [setting])
  }

  @Test func `may hold many tables`() throws {
    let settings = ["address": "https://api.example.cn/", "paging": "page", "tables": "甲=/v1/a?x=1, 乙=b"]
    let opened = try ConnectorCatalog([HTTPConnector.kind]).open("http", settings)
    #expect(try opened.tables().map(\.name.name) == ["甲", "乙"])
    #expect(HTTPConnector.machine(settings)?.host == "api.example.cn")
  }
}
