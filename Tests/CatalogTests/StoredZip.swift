import Foundation

/// A zip whose entries are stored as they are, but for one that brings its own deflated bytes.
func storedZip(
  _ entries: [(name: String, text: String)], deflated: (name: String, bytes: [UInt8], size: Int)? = nil
) -> [UInt8] {
  func le<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
  func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }
  }
  var (file, directory): ([UInt8], [UInt8]) = ([], [])
  func add(_ name: [UInt8], _ bytes: [UInt8], method: UInt16, size: Int) {
    let offset = UInt32(file.count)
    let middle =
      le(UInt16(20)) + le(UInt16(0x0800)) + le(method) + le(UInt32(0x5A21_0000)) + le(checksum(bytes))
      + le(UInt32(bytes.count)) + le(UInt32(size)) + le(UInt16(name.count)) + le(UInt16(0))
    file += le(UInt32(0x0403_4B50)) + middle + name + bytes
    directory +=
      le(UInt32(0x0201_4B50)) + le(UInt16(20)) + middle + [UInt8](repeating: 0, count: 10) + le(offset) + name
  }
  for (name, text) in entries { add(Array(name.utf8), Array(text.utf8), method: 0, size: text.utf8.count) }
  if let deflated { add(Array(deflated.name.utf8), deflated.bytes, method: 8, size: deflated.size) }
  let count = le(UInt16(entries.count + (deflated == nil ? 0 : 1)))
  return file + directory + le(UInt32(0x0605_4B50)) + [0, 0, 0, 0] + count + count + le(UInt32(directory.count))
    + le(UInt32(file.count)) + [0, 0]
}

/// A workbook whose sheet of resources unpacks to so many mebibytes of blanks from a thousandth of that.
func bombWorkbook(mebibytes: Int) throws -> [UInt8] {
  let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
  let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
  let relations = "http://schemas.openxmlformats.org/package/2006/relationships"
  let gzip = Process()
  gzip.executableURL = URL(fileURLWithPath: "/bin/sh")
  gzip.arguments = [
    "-c",
    "(printf '<worksheet xmlns=\"\(main)\"><sheetData>'; head -c \(mebibytes << 20) /dev/zero | tr '\\0' ' ') | gzip -9n",
  ]
  let output = Pipe()
  gzip.standardOutput = output
  try gzip.run()
  let packed = Array(output.fileHandleForReading.readDataToEndOfFile())
  gzip.waitUntilExit()
  return storedZip(
    [
      (
        "_rels/.rels",
        "<Relationships xmlns=\"\(relations)\"><Relationship Id=\"a\" Type=\"\(office)/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
      ),
      (
        "xl/workbook.xml",
        "<workbook xmlns=\"\(main)\" xmlns:r=\"\(office)\"><sheets><sheet name=\"信息资源目录\" sheetId=\"1\" r:id=\"s1\"/></sheets></workbook>"
      ),
      (
        "xl/_rels/workbook.xml.rels",
        "<Relationships xmlns=\"\(relations)\"><Relationship Id=\"s1\" Type=\"\(office)/worksheet\" Target=\"worksheets/a.xml\"/></Relationships>"
      ),
    ],
    // Gzip's own head and tail taken off.
    deflated: ("xl/worksheets/a.xml", Array(packed[10..<packed.count - 8]), mebibytes << 20))
}
