import Connecting
import JSONBytes
import Testing

private func whole(_ text: String) -> JSONValue? {
  Array(text.utf8).withUnsafeBytes { try? JSONScan.whole($0) }
}

@Suite struct `JSON as bytes` {
  @Test(arguments: [
    ("0", JSONValue.Kind.number), ("-0", .number), ("-12.50e+3", .number), ("1E5", .number), (" true ", .yes),
    ("false", .no),
    ("null", .null), ("\"\"", .string), ("\"a\\\"b\\\\\"", .string), ("{}", .object), ("[ ]", .array),
    ("{\"a\":{\"b\":[1,{\"c\":null}]}}", .object), ("\r\n\t[1,2]\n", .array), ("\"\\\\\\\"\"", .string),
  ])
  func `of this kind is read`(text: String, kind: JSONValue.Kind) { #expect(whole(text)?.kind == kind) }

  @Test(arguments: [
    "", " ", "01", "-", "+1", "1.", ".5", "1e", "0x10", "NaN", "Infinity", "tru", "True", "nul", "\"", "\"\\\"", "{",
    "}", "[",
    "]", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "1 2", "{}{}",
    "'a'", "//x",
    "[1]x", "{\"a\":1}}", "\u{FEFF}1", "\u{A0}1",
  ])
  func `that is none is refused`(text: String) { #expect(whole(text) == nil, "\(text)") }

  @Test func `nests 64 deep and no deeper, without using up the stack`() {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(whole(nested(64)) != nil && whole(nested(65)) == nil && whole(nested(1_000_000)) == nil)
    let objects = String(repeating: "{\"a\":", count: 100_000)
    #expect(whole(objects) == nil)
  }

  @Test func `of random bytes is read or refused within its bounds`() {
    var random = SystemRandomNumberGenerator()
    let likely = Array("{}[]\",:\\u0eE+-.0129tfn \n".utf8) + [0xC7, 0xFF, 0x00]
    let text = JSONText()
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in likely.randomElement(using: &random)! }
      bytes.withUnsafeBytes { bytes in
        guard let value = try? JSONScan.whole(bytes) else { return }
        #expect(value.range.lowerBound >= 0 && value.range.upperBound <= bytes.count)
        if value.kind == .string { _ = text.text(of: value, in: bytes) } else { _ = text.written(value, in: bytes) }
      }
    }
  }

  @Test(arguments: [
    ("/a/b/1", "2"), ("/a/b/0", "1"), ("/a~1b", "3"), ("/m~0n", "4"), ("/é", "5"), ("", nil), ("/a/b/9", nil),
    ("/a/b/x", nil),
    ("/none", nil), ("/a/c/d", nil), ("/s/0", nil),
  ])
  func `is pointed into`(pointer: String, wanted: String?) throws {
    let bytes = Array(#"{"a":{"b":[1,2],"c":null},"a/b":3,"m~n":4,"\u00e9":5,"s":"x"}"#.utf8)
    try bytes.withUnsafeBytes { bytes in
      let found = try JSONPointer(pointer)!.find(in: try JSONScan.whole(bytes), bytes, JSONText())
      if pointer.isEmpty { return #expect(found?.kind == .object) }
      #expect(found.map { String(decoding: bytes[$0.range], as: UTF8.self) } == wanted)
    }
  }

  @Test(arguments: ["a", "a/b", "/~", "/~2", "/a~"])
  func `has no such pointers`(text: String) { #expect(JSONPointer(text) == nil) }
}
