internal import Foundation
internal import Kernel

/// A zip of tables (an export of another system), unpacked file by file within the bounds of a workbook.
package enum PackedFolder {
  /// Writes what has one of these endings into a folder, without the folders it lay in; two files of one name are refused,
  /// and so is whatever the container of a workbook would be refused for, in the words of a zip. Blocks.
  package static func unpack(
    _ path: String, to folder: String, only endings: Set<String>, limits: ReadingLimits = ReadingLimits()
  ) throws {
    let container = try Container(path: path, limits: limits, asked: .zip)
    var taken: Set<String> = []
    for name in container.names {
      let file = (name as NSString).lastPathComponent
      guard endings.contains((file as NSString).pathExtension.lowercased()), !file.hasPrefix(".") else { continue }
      guard taken.insert(file).inserted else {
        throw PackedKind.zip.part("entry-twice", shown(file), "压缩包内有两个同名文件。", "two files of this name are inside.")
      }
      let target = "\(folder)/\(file)"
      guard FileManager.default.createFile(atPath: target, contents: nil, attributes: [.posixPermissions: 0o600]),
        let handle = FileHandle(forWritingAtPath: target)
      else { throw PackedKind.zip.part("unpack", shown(file), "无法写入临时文件夹。", "the temporary folder cannot be written.") }
      defer { try? handle.close() }
      try container.read(name) { piece throws(Refusal) in
        do { try handle.write(contentsOf: Data(piece)) } catch {
          throw PackedKind.zip.part("unpack", shown(file), "无法写入临时文件夹。", "the temporary folder cannot be written.")
        }
        return true
      }
    }
  }
}
