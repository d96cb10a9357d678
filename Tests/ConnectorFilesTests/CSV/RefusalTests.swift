import Connecting
import ConnectorFiles
import Foundation
import Kernel
import Testing

private func refusal(_ bytes: [UInt8], _ options: CSVOptions = CSVOptions()) -> ConnectorError? {
  let folder = TemporaryFolder()
  folder.write("t.csv", bytes)
  let read = error { _ = try folder.connector(options).openReader(textPlan("t.csv", ["a"])) }
  let described = error { _ = try folder.connector(options).describe(TableName("t.csv")) }
  #expect(read == described)
  return read
}

@Suite struct `A malformed file` {
  /// Text, code, and the line and byte (from 0) that the message must name.
  @Test(arguments: [
    ("a,b\n1,2\n3\n", "csv.field-count", 3, 8), ("a,b\n1,2,3\n", "csv.field-count", 2, 4),
    ("a,b\n\"x\ny\",2\n1\n", "csv.field-count", 4, 12), ("a,b\n1,2\n\n3,4\n", "csv.field-count", 3, 8),
    ("a,b\n1,\"2\n3,4\n", "csv.unclosed-quote", 2, 6), ("a,b\n\"1", "csv.unclosed-quote", 2, 4),
    ("a,b\n1,\"2\"x\n", "csv.text-after-quote", 2, 9), ("a,b\n1,\"2\" \n", "csv.text-after-quote", 2, 9),
    ("a,b\n1,2\"\n", "csv.quote-inside-field", 2, 7), ("a,b\n1, \"2\"\n", "csv.quote-inside-field", 2, 7),
    ("a,b\r1,2\r", "csv.bare-return", 1, 3), ("a,b\n1,2\r3,4\n", "csv.bare-return", 2, 7),
    ("a,b\n\"1\"\r2,3\n", "csv.bare-return", 2, 7), ("a,b\n1,2\r", "csv.bare-return", 2, 7),
    ("a,b\n1,\u{0}\n", "csv.nul", 2, 6),
  ])
  func `is refused with line and byte`(text: String, code: String, line: Int, byte: Int) throws {
    let refused = try #require(refusal(Array(text.utf8)))
    #expect(refused.kind == .data)
    #expect(refused.code == code)
    #expect(refused.message.chinese.contains("第 \(line) 行、字节 \(byte)（"))
    #expect(refused.message.english.contains("line \(line), byte \(byte) ("))
  }

  @Test(
    arguments: [
      // A lone continuation byte, overlong forms, a surrogate, beyond the last scalar, a sequence cut by the end.
      ([0x80], 4), ([0xC0, 0xAF], 4), ([0xE0, 0x80, 0xAF], 4), ([0xED, 0xA0, 0x80], 4), ([0xF4, 0x90, 0x80, 0x80], 4),
      ([0xE9, 0x9D], 4), ([0x41, 0xE9, 0x9D], 5), ([0xC7, 0xE0], 4), ([0xFF], 4), ([0xF5, 0x80], 4),
    ] as [([UInt8], Int)])
  func `that is marked as UTF-8 and is not is refused at the first bad byte`(bad: [UInt8], at: Int) throws {
    let head: [UInt8] = [0xEF, 0xBB, 0xBF] + Array("a\n".utf8)
    // The mark counts: byte numbers are the file's.
    let refused = try #require(refusal(head + bad))
    #expect(refused.code == "csv.encoding")
    #expect(refused.message.english.contains("line 2, byte \(at + 1) ("))
    #expect(refused.message.english.contains("UTF-8"))
    let declared = try #require(refusal(Array("a\nx\n".utf8) + bad, CSVOptions(encoding: .utf8)))
    #expect(declared.message.english.contains("line 3, byte \(at) ("))
  }

  @Test func `of neither encoding is told where it fails as each`() throws {
    // The first line is GB18030 and no UTF-8; the second is neither.
    let refused = try #require(refusal(Array("a\n".utf8) + [0xC7, 0xE0, 0x0A, 0x41, 0xFF, 0xFF, 0x0A]))
    #expect(refused.code == "csv.encoding")
    #expect(refused.message.english.contains("as UTF-8 it is wrong at line 2, byte 2 ("))
    #expect(refused.message.english.contains("as GB18030 at line 3, byte 6 ("))
  }

  @Test(arguments: [
    ("姓名,区\n张三,湟中\n李四,城西\n", "王五,湟源\n", "赵六,大通\n", 4), ("姓名,区\n", "王五,湟源\n", "", 2),
    ("", "姓名,区\n", "张三,湟中\n李四,城西\n", 1),
    ("姓名,区\n", String(repeating: "王五,湟源\n", count: 5000), "", 2),
    (String(repeating: "张三,湟中\n", count: 40_000), "王五,湟源\n", "赵六,大通\n", 40_001),
  ])
  func `that is UTF-8 but for what was mixed in is not read as another encoding`(
    before: String, mixed: String, after: String, line: Int
  ) throws {
    let refused = try #require(refusal(Array(before.utf8) + gb18030Bytes(mixed) + Array(after.utf8)))
    #expect(refused.kind == .data && refused.code == "csv.encoding")
    #expect(refused.message.english.contains("line \(line), byte \(before.utf8.count) ("))
    #expect(refused.message.chinese.contains("文件“t.csv”") && refused.message.english.contains("“t.csv”"))
    // Whoever knows better says so.
    let folder = TemporaryFolder()
    folder.write("t.csv", Array(before.utf8) + gb18030Bytes(mixed) + Array(after.utf8))
    let declared = error { _ = try folder.connector(CSVOptions(encoding: .gb18030)).describe(TableName("t.csv")) }
    #expect(declared?.message.english.contains("not UTF-8") != true)
  }

  @Test(arguments: [
    "联通,电信\n移动,广电\n", "a,b\né,ü\nü,é\n", "濠江,泸州\n沭阳,黟县\n", "x,y\n1,青\n", "€,㐂\n𠮷,囍\n",
  ])
  func `in GB18030 is still known for it`(text: String) throws {
    let folder = TemporaryFolder()
    folder.write("t.csv", gb18030Bytes(text + "青海,西宁\n"))
    #expect(try folder.connector().discover(TableName("t.csv")).encoding == .gb18030)
  }

  @Test func `of an unknown encoding is not called torn`() throws {
    let refused = try #require(refusal(Array("a\n\"".utf8) + [0xC7, 0xE0, 0x0A, 0xFF, 0xFF]))
    #expect(refused.code == "csv.encoding")
    let torn = try #require(refusal(Array("a\n\"".utf8) + [0xC7, 0xE0, 0x0A]))
    #expect(torn.code == "csv.unclosed-quote")
    #expect(torn.message.english.contains("line 2, byte 2 ("))
  }

  @Test(arguments: [300_000, 1_048_575, 1_048_576, 1_048_577])
  func `is refused at the first bad byte however far into the file`(distance: Int) throws {
    let filler = Array(String(repeating: "0123456789abcde\n", count: distance / 16 + 1).utf8.prefix(distance))
    let refused = try #require(refusal([0xEF, 0xBB, 0xBF] + Array("a\n".utf8) + filler + [0xE9, 0x9D, 0x0A]))
    #expect(refused.message.english.contains("line \(2 + distance / 16), byte \(distance + 5) ("))
  }

  @Test func `in UTF-16 is refused for half a pair, half a unit and a NUL`() throws {
    let head = Form.utf16LittleEndian.bytes(of: "a\n青\n")
    for (tail, byte): ([UInt8], Int) in [
      ([0x3D, 0xD8, 0x41, 0x00], 10), ([0x42, 0xDC], 10), ([0x41], 10), ([0x41, 0x00, 0x3D, 0xD8], 12),
    ] {
      let refused = try #require(refusal(head + tail))
      #expect(refused.code == "csv.encoding")
      #expect(refused.message.english.contains("line 3, byte \(byte) ("))
    }
    let nul = try #require(refusal(head + [0x41, 0x00, 0x00, 0x00]))
    #expect(nul.code == "csv.nul")
    #expect(nul.message.english.contains("line 3, byte 12 ("))
    let ragged = try #require(refusal(Form.utf16BigEndian.bytes(of: "a,b\n青,海\n𠮷\n")))
    #expect(ragged.code == "csv.field-count")
    #expect(ragged.message.english.contains("line 3, byte 18 ("))
  }

  @Test func `in UTF-16 without a mark is told to have one`() throws {
    let refused = try #require(refusal(Array(Form.utf16LittleEndian.bytes(of: "a\n1\n").dropFirst(2))))
    #expect(refused.code == "csv.nul")
    #expect(refused.message.chinese.contains("BOM"))
  }

  @Test(arguments: [
    ("", "第一行应为列名"), ("\u{FEFF}", "第一行应为列名"), ("a,,c\n", "第 2 列"), ("a,b,a\n", "“a”"), ("a, a \n", "“a”"),
    ("\n", "第 1 列"), (String(repeating: "长", count: 129) + ",a\n", "第 1 列"),
  ])
  func `with a header that names no columns is refused`(text: String, mention: String) throws {
    let refused = try #require(refusal(Array(text.utf8)))
    #expect(refused.code == "csv.header")
    #expect(refused.message.chinese.contains(mention))
  }

  @Test func `beyond the limits of a row and of columns is refused, up to them it is read`() throws {
    let folder = TemporaryFolder()
    let longest = String(repeating: "x", count: (1 << 20) - 4)
    folder.write("t.csv", "a,b\n1,\(longest)y\n2,z\n")
    #expect(try readAll(folder.connector(), textPlan("t.csv", ["a", "b"])).keyed[0][1] == field(longest + "y"))
    let tooLong = try #require(refusal(Array("a,b\n1,\(longest)yz\n2,z\n".utf8)))
    #expect(tooLong.code == "csv.row-too-long")
    #expect(tooLong.message.english.contains("line 2, byte 4 ("))
    let neverClosed = try #require(refusal(Array("a,b\n1,\"\(longest)\(longest)".utf8)))
    #expect(neverClosed.code == "csv.row-too-long")

    let names = (0..<1000).map { "c\($0)" }
    folder.write("wide.csv", names.joined(separator: ",") + "\n" + names.joined(separator: ",") + "\n")
    #expect(try readAll(folder.connector(), textPlan("wide.csv", ["c999"])).keyed == [[field("c999")]])
    let wide = try #require(refusal(Array((["a"] + names).joined(separator: ",").utf8)))
    #expect(wide.code == "csv.too-many-columns")
  }

  @Test func `of random bytes is refused or read, the same both times`() {
    var random = SystemRandomNumberGenerator()
    let likely = Array("a,b\n\"\"\r\n1青".utf8) + [0xC7, 0xE0, 0x81, 0x30, 0xFF, 0xFE]
    for _ in 0..<400 {
      let folder = TemporaryFolder()
      let bytes =
        Array("a\n".utf8)
        + (0..<Int.random(in: 0...40, using: &random)).map { _ in likely.randomElement(using: &random)! }
      folder.write("t.csv", bytes)
      let survey = error { _ = try folder.connector().discover(TableName("t.csv")) }
      let read = error { _ = try readAll(folder.connector(), textPlan("t.csv", ["a"])) }
      #expect(survey?.code == read?.code, "\(bytes)")
      #expect(survey == nil || survey?.kind == .data)
    }
  }
}

@Suite struct `A file that changes` {
  private static func rows(_ range: Range<Int>, _ mark: String = "v") -> String {
    range.map { "\(1_000_000 + $0),\(mark)\($0 % 10)\n" }.joined()
  }

  /// A reader that has read one batch of many.
  private static func begun(_ folder: TemporaryFolder) throws -> (any RowReader, RowBatch) {
    folder.write("t.csv", "k,v\n" + rows(0..<20_000))
    let reader = try folder.connector().openReader(textPlan("t.csv", ["k", "v"]))
    let batch = RowBatch(capacity: 64 << 10)
    #expect(try reader.read(into: batch) == .rows)
    return (reader, batch)
  }

  private static func rest(_ reader: any RowReader, _ batch: RowBatch) throws {
    while try reader.read(into: batch) != .end {}
  }

  @Test func `in place, with its old length, is noticed by the reader`() throws {
    let folder = TemporaryFolder()
    let (reader, batch) = try Self.begun(folder)
    folder.write("t.csv", "k,v\n" + Self.rows(0..<20_000, "w"))
    let noticed = error { try Self.rest(reader, batch) }
    #expect(noticed?.code == "csv.changed-while-read")
    #expect(noticed?.kind == .retryable)
  }

  @Test func `by another file under its name and of its length is noticed by the reader`() throws {
    let folder = TemporaryFolder()
    let (reader, batch) = try Self.begun(folder)
    folder.write("new", "k,v\n" + Self.rows(0..<20_000, "w"))
    #expect(rename("\(folder.path)/new", "\(folder.path)/t.csv") == 0)
    #expect(error { try Self.rest(reader, batch) }?.code == "csv.changed-while-read")
  }

  @Test func `by growing, shrinking or going is noticed by the reader`() throws {
    for change in ["grow", "shrink", "remove"] {
      let folder = TemporaryFolder()
      let (reader, batch) = try Self.begun(folder)
      switch change {
      case "grow": folder.write("t.csv", "k,v\n" + Self.rows(0..<20_001))
      case "shrink": #expect(truncate("\(folder.path)/t.csv", 200) == 0)
      default: #expect(unlink("\(folder.path)/t.csv") == 0)
      }
      #expect(error { try Self.rest(reader, batch) }?.code == "csv.changed-while-read", "\(change)")
    }
  }

  @Test func `behind the file system's back is noticed when its last row has been read`() throws {
    let folder = TemporaryFolder()
    folder.write("t.csv", "k,v\n" + Self.rows(0..<60_000))
    let descriptor = open("\(folder.path)/t.csv", O_RDWR)
    defer { close(descriptor) }
    let size = 4 + 60_000 * 11
    let mapped = try #require(mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0))
    defer { munmap(mapped, size) }
    // The page is dirty already when the reader opens, so that writing to it again moves no timestamp.
    mapped.storeBytes(of: UInt8(ascii: "9"), toByteOffset: size - 2, as: UInt8.self)
    let reader = try folder.connector().openReader(textPlan("t.csv", ["k", "v"]))
    let batch = RowBatch(capacity: 64 << 10)
    #expect(try reader.read(into: batch) == .rows)
    mapped.storeBytes(of: UInt8(ascii: "8"), toByteOffset: size - 2, as: UInt8.self)
    #expect(error { try Self.rest(reader, batch) }?.code == "csv.changed-while-read")
  }

  @Test func `between two attempts is noticed although its name, length and times are the old ones`() throws {
    let folder = TemporaryFolder()
    let (reader, _) = try Self.begun(folder)
    let place = reader.position
    reader.close()
    let plan = textPlan("t.csv", ["k", "v"], after: place)
    let columns = try readAll(folder.connector(), plan).keyed.count
    #expect(columns > 0 && columns < 20_000)
    var status = stat()
    stat("\(folder.path)/t.csv", &status)
    folder.write("t.csv", "k,v\n" + Self.rows(0..<20_000, "w"))
    var times = [status.st_atim, status.st_mtim]
    #expect(utimensat(AT_FDCWD, "\(folder.path)/t.csv", &times, 0) == 0)
    let noticed = error { _ = try readAll(folder.connector(), plan) }
    #expect(noticed?.code == "csv.changed")
    #expect(noticed?.kind == .contract)
  }

  @Test func `back to what it was goes on`() throws {
    let folder = TemporaryFolder()
    let (reader, batch) = try Self.begun(folder)
    let (place, read) = (reader.position, batch.rowCount)
    folder.write("t.csv", "k,v\n" + Self.rows(0..<20_000))
    let rest = try readAll(folder.connector(), textPlan("t.csv", ["k", "v"], after: place))
    #expect(rest.keyed.count == 20_000 - read)
  }
}

private let real = "/work/shared/data/qinghai-enterprises-2009-2012.csv"

@Suite struct `The real registrations` {
  /// Counted independently with Python's csv module: 11,130 rows of 9 columns; `N/A` 10,858 times as kind and 5,145 times
  /// as capital; longest scope 960 characters; 13 kinds; 1 code with a wrong check digit.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: real), "the folder with the real registrations is absent"))
  func `are read whole`() throws {
    let connector = CSVConnector(folder: "/work/shared/data", options: CSVOptions(nullText: "N/A"))
    let table = TableName("qinghai-enterprises-2009-2012.csv")
    let found = try connector.discover(table)
    #expect(found.encoding == .utf8)
    #expect(found.rows == 11_130)
    #expect(found.bytes == 4_121_810)
    #expect(found.columns.map(\.name) == ["企业名称", "统一社会信用代码", "注册日期", "企业类型", "注册资金", "经营范围", "所在省份", "地区", "注册地址"])
    #expect(found.columns.map(\.longest) == [33, 18, 10, 11, 18, 960, 2, 2, 59])
    #expect(found.columns.map(\.nulls) == [0, 0, 0, 10_858, 5_145, 0, 0, 0, 0])
    #expect(found.columns[2].suggested == .date)
    #expect(found.columns.filter { $0.suggested == .text }.count == 8)

    let plan = ReadPlan(
      table: table,
      columns: [.init("统一社会信用代码", .text), .init("企业名称", .text), .init("注册日期", .date), .init("企业类型", .text)], key: [0])
    let read = try readAll(connector, plan)
    #expect(read.keyed.count == 11_130 && read.keyless.isEmpty)
    let codes = read.keyed.compactMap { if case .value(let bytes) = $0[0] { bytes } else { nil } }
    #expect(Set(codes).count == 11_130)
    #expect(codes.filter { code in !code.withUnsafeBytes { CreditCode.isValid($0) } }.count == 1)
    #expect(read.keyed.allSatisfy { if case .value(let bytes) = $0[2] { bytes.count == 4 } else { false } })
    #expect(Set(read.keyed.map { $0[3] }).count == 13)
  }
}
