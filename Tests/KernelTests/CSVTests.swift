import Kernel
import Testing

@Suite struct `Small tables as text, RFC 4180` {
  @Test(arguments: [
    ("", []),
    ("a", [["a"]]), ("a\n", [["a"]]), ("a\r\n", [["a"]]), ("\n", [[""]]), ("a\n\nb\n", [["a"], [""], ["b"]]),
    ("a,b\nc,d", [["a", "b"], ["c", "d"]]), ("a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]]),
    (",\n", [["", ""]]), ("a,", [["a", ""]]),
    ("\"a\",\"b\"\n", [["a", "b"]]), ("\"a,b\"\n", [["a,b"]]), ("\"a\"\"b\"\n", [["a\"b"]]), ("\"\"\n", [[""]]),
    ("\"\"\"\"\n", [["\""]]), ("\"a\nb\",c\n", [["a\nb", "c"]]), ("\"a\r\nb\"\n", [["a\r\nb"]]),
    ("\u{FEFF}名称,代码\n湟中区,630106\n", [["名称", "代码"], ["湟中区", "630106"]]), ("a\rb\n", [["a\rb"]]),
    (" a , b \n", [[" a ", " b "]]), ("#a,b\n", [["#a", "b"]]),
  ])
  func `are read`(text: String, expected: [[String]]) throws {
    #expect(try CSV.parse(text) == expected)
  }

  @Test(arguments: [
    ("a\"b\n", 1, CSV.Fault.Problem.quoteInsideField), ("x\na,b\"\n", 2, .quoteInsideField),
    ("\"a\"b\n", 1, .textAfterQuote), ("\"a\nb\" ,c\n", 2, .textAfterQuote), ("\"a", 1, .unclosedQuote),
    ("x\ny\n\"a\nb\nc", 3, .unclosedQuote), ("a\u{0}b", 1, .nul), ("x\n\"a\u{0}\"", 2, .nul),
    ("\"a\"\r", 1, .textAfterQuote),
  ])
  func `are refused at the line that is wrong`(text: String, line: Int, problem: CSV.Fault.Problem) {
    let fault = #expect(throws: CSV.Fault.self) { try CSV.parse(text) }
    #expect(fault == CSV.Fault(line: line, problem: problem))
    #expect(fault?.message.chinese.contains("\(line)") == true)
  }

  @Test func `come back as they were written`() throws {
    var random = SystemRandomNumberGenerator()
    let pieces = ["a", "\"", ",", "\n", "\r\n", "湟", " ", "", "#", "\t", "'", "=1+1"]
    for _ in 0..<500 {
      let width = Int.random(in: 2...5, using: &random)
      let rows = (0..<Int.random(in: 1...6, using: &random)).map { _ in
        (0..<width).map { _ in (0..<3).map { _ in pieces.randomElement(using: &random)! }.joined() }
      }
      let text = rows.map { CSV.line($0) + "\r\n" }.joined()
      #expect(try CSV.parse(text) == rows)
    }
  }

  @Test func `have fields by the name of their column, and the line they begin in`() throws {
    let table = try CSV.table("# a note, with a \" quote\ncode,name\n1,\"a\nb\"\n# more\n2,c\n", comments: true)
    #expect(table.columns == ["code", "name"])
    #expect(table.rows.map { $0["name"] } == ["a\nb", "c"])
    #expect(table.rows.map(\.line) == [3, 6])
    #expect(table.rows[0]["missing"] == "")
    #expect(throws: CSV.Fault(line: 1, problem: .missingColumn("level"))) { try table.require("code", "level") }
    try table.require("name", "code")
  }

  @Test func `are refused when ragged or when a column stands twice`() {
    #expect(throws: CSV.Fault(line: 3, problem: .columns(expected: 2, found: 3))) { try CSV.table("a,b\n1,2\n1,2,3\n") }
    #expect(throws: CSV.Fault(line: 1, problem: .repeatedColumn("a"))) { try CSV.table("a,a\n1,2\n") }
  }

  @Test(arguments: [
    ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\t1", "'\t1"), ("a=1", "a=1"), ("", ""),
    ("'=1", "''=1"), ("'a", "'a"),
  ])
  func `can be guarded against spreadsheets that run them`(field: String, guarded: String) {
    #expect(CSV.guarded(field) == guarded)
    #expect(CSV.unguarded(guarded) == field)
  }
}
