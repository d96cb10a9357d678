import Foundation
import Spreadsheets
import Testing

@Suite struct `Names inside a zip` {
  /// What is unpacked from a zip with one file of that name and whatever flags.
  private func unpacked(_ name: [UInt8], flags: UInt16) throws -> [String] {
    let folder = TemporaryFolder()
    let zip = folder.path + "/a.zip"
    let entry = TinyZip.Entry("", "甲,乙\n").with {
      $0.name = name
      $0.flags = flags
    }
    try Data(TinyZip.bytes([entry])).write(to: URL(fileURLWithPath: zip))
    let target = folder.path + "/out"
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    try PackedFolder.unpack(zip, to: target, only: ["csv"])
    return try FileManager.default.contentsOfDirectory(atPath: target)
  }

  @Test func `are read as UTF-8 where they are, whether they say so or not`() throws {
    for flags: UInt16 in [0x0800, 0] {
      #expect(try unpacked(Array("目录/信息项.csv".utf8), flags: flags) == ["信息项.csv"])
    }
  }

  @Test func `are read as GB 18030 where they are no UTF-8 and do not say that they are`() throws {
    // 目录/信息项.csv, and a character whose second byte is a backslash, which is no way to other folders.
    let items: [UInt8] = [0xD0, 0xC5, 0xCF, 0xA2, 0xCF, 0xEE] + Array(".csv".utf8)
    #expect(try unpacked([0xC4, 0xBF, 0xC2, 0xBC, 0x2F] + items, flags: 0) == ["信息项.csv"])
    #expect(try unpacked([0x81, 0x5C] + Array(".csv".utf8), flags: 0) == ["乗.csv"])
  }
}
