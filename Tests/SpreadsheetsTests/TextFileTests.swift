import Kernel
import Spreadsheets
import Testing

@Suite struct `A text file that people send` {
  @Test(arguments: [
    (Array("目录".utf8), "目录", TextFile.Encoding.utf8), ([0xEF, 0xBB, 0xBF] + Array("目录".utf8), "目录", .utf8),
    // 信息, a character of four bytes and one outside the first plane.
    ([0xD0, 0xC5, 0xCF, 0xA2], "信息", .gb18030), ([0x81, 0x39, 0xEE, 0x39], "㐀", .gb18030),
    ([0x95, 0x34, 0xB2, 0x35], "𠮷", .gb18030), ([], "", .utf8),
  ])
  func `is read in UTF-8 and in GB18030`(bytes: [UInt8], text: String, encoding: TextFile.Encoding) throws {
    let file = try TextFile(bytes)
    #expect(file.text == text && file.encoding == encoding)
  }

  @Test(arguments: [
    ([UInt8(ascii: "a"), 0xFF, 0x41], ["第 1 字节 0xFF", "byte 1, 0xFF"]),
    ([0xFF, 0xFE, 0x41, 0x00], ["UTF-16", "byte 0"]),
    (Array("名称".utf8) + [0x80, 0x0A], ["第 6 字节 0x80", "byte 6, 0x80"]),
  ])
  func `is refused in any other, with the byte`(bytes: [UInt8], words: [String]) throws {
    let refusal = try #require(throws: Refusal.self) { try TextFile(bytes) }
    let said = refusal.message.chinese + refusal.message.english
    #expect(words.allSatisfy(said.contains), "\(said)")
  }
}
