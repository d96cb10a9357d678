import Connecting
import Foundation
import NationalCrypto

/// A folder that receives files, as a stranger finds it who knows only what `docs/engine.md` says of its hidden place.
struct DocumentFolder {
  let path: String

  /// What stands under a name, folders within folders too; hidden places are left out.
  func files() throws -> [String: DocumentTree.File] {
    var files: [String: DocumentTree.File] = [:]
    for case let name as String in FileManager.default.enumerator(atPath: path) ?? .init() {
      guard !name.hasPrefix(".sanjiang"), let modified = DocumentTree.modified(path + "/" + name) else { continue }
      files[name] = .init(bytes: try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)), modified: modified)
    }
    return files
  }

  var hidden: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path + "/.sanjiang")) ?? [] }

  /// What must not be left in the hidden place when nothing is under way.
  var leftovers: [String] {
    hidden.filter { $0.hasPrefix("ready-") || $0.hasPrefix("parts-") || $0.hasSuffix(".part") }.sorted()
  }

  private func hiddenBytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path + "/.sanjiang/" + name))
  }

  /// The manifest that counts; nil before the first.
  func manifest() throws -> (name: String, text: Data)? {
    let names = hidden.filter { $0.hasPrefix("manifest-") && $0.hasSuffix(".json") }
    return try names.max().map { ($0, try hiddenBytes($0)) }
  }

  /// Names and contents as lines, and the manifest: to see whether anything changed.
  func photograph() throws -> [String] {
    let files = try files().sorted { $0.key < $1.key }.map {
      "\($0.key) \($0.value.modified) \(SM3.hash([UInt8]($0.value.bytes)).hex)"
    }
    return files + [try manifest().map { String(decoding: $0.text, as: UTF8.self) } ?? ""]
  }

  // MARK: What must hold at every moment

  private typealias Row = (
    part: Int, size: Int, modified: Int, batch: Int, digest: Substring, place: Substring, at: Int
  )
  private typealias Entry = (size: Int, modified: Int, rows: [Row])

  /// Throws unless every file is a whole version of the source's, the manifest fits what it names, and its lists what stands
  /// there. Answers how many files were looked at.
  func check(_ tree: DocumentTree, fence: Int) throws -> Int {
    let files = try files()
    for (name, file) in files where tree.versions[name]?.contains(file.bytes) != true {
      throw Failure("“\(name)” stands there with \(file.bytes.count) bytes and is no version that the source ever had")
    }
    guard let (name, text) = try manifest() else {
      guard files.isEmpty else { throw Failure("files without a manifest: \(files.keys.sorted())") }
      return 0
    }
    guard let manifest = try JSONSerialization.jsonObject(with: text) as? [String: Any],
      let number = manifest["number"] as? Int, name.dropFirst(9).dropLast(5) == Self.padded(number),
      let holder = manifest["fence"] as? Int, holder <= fence, let last = manifest["last_batch"] as? Int,
      let batches = manifest["batches"] as? [[String: Any]], let gone = manifest["gone"] as? [[String: Any]],
      let ready = manifest["ready"] as? [[String: Any]]
    else {
      throw Failure("\(name) is no manifest of fence \(fence) or lower: \(String(decoding: text, as: UTF8.self))")
    }
    let numbers = batches.compactMap { $0["batch"] as? Int }
    guard numbers.count == batches.count, numbers == Set(numbers).sorted(), numbers.last ?? 0 <= last else {
      throw Failure("\(name) has the batches \(numbers), and \(last) as the last")
    }
    // What a killed worker had committed and not carried out is the next one's.
    let underway = Set((gone + ready).compactMap { $0["path"] as? String })
    let entries = try entries(manifest)
    for (path, entry) in entries { try check(path, entry, files[path], isUnderWay: underway.contains(path), last) }
    for path in files.keys where entries[path] == nil && !underway.contains(path) {
      throw Failure("“\(path)” stands there and no list knows it")
    }
    return files.count
  }

  private static func padded(_ number: Int) -> String { String(format: "%08d", number) }

  private func check(
    _ path: String, _ entry: Entry, _ file: DocumentTree.File?, isUnderWay: Bool, _ last: Int
  ) throws {
    for row in entry.rows {
      guard row.batch <= last else { throw Failure("“\(path)” has rows of batch \(row.batch), the last is \(last)") }
      let length = min(DocumentTree.part, row.size - row.part * DocumentTree.part)
      let start = row.part * DocumentTree.part
      if row.place != "-" {
        guard let bytes = try? hiddenBytes(String(row.place)), bytes.count >= row.at + length else {
          throw Failure("part \(row.part) of “\(path)” is not in \(row.place)")
        }
        continue
      }
      guard (row.size, row.modified) == (entry.size, entry.modified) else {
        throw Failure("part \(row.part) of “\(path)” is of another version than what is said to stand there")
      }
      if isUnderWay { continue }
      guard let file, file.bytes.count == row.size else {
        throw Failure("“\(path)” is to have \(row.size) bytes, there are \(file?.bytes.count ?? -1)")
      }
      var digest = ContentDigest()
      file.bytes[start..<start + length].withUnsafeBytes { digest.add($0) }
      guard digest.bytes.hex == row.digest else {
        throw Failure("part \(row.part) of “\(path)” is not what its list says")
      }
    }
  }

  /// The lists of a manifest, the later over the earlier.
  private func entries(_ manifest: [String: Any]) throws -> [String: Entry] {
    var entries: [String: Entry] = [:]
    for listing in manifest["listings"] as? [[String: Any]] ?? [] {
      guard let name = listing["name"] as? String, let bytes = try? hiddenBytes(name),
        bytes.count == listing["bytes"] as? Int, SM3.hash([UInt8](bytes)).hex == listing["sm3"] as? String
      else { throw Failure("a list is not what its manifest says: \(listing)") }
      var path = ""
      for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        switch fields[0] {
        case "gone": entries[String(fields[1])] = nil
        case "file":
          path = String(fields[3])
          entries[path] = (Int(fields[1]) ?? -1, Int(fields[2]) ?? -1, [])
        default:
          let numbers = fields.map { Int($0) ?? -1 }
          guard fields.count == 9 else { throw Failure("a list's line: \(line)") }
          entries[path]?.rows.append(
            (numbers[1], numbers[2], numbers[3], numbers[4], fields[6], fields[7], numbers[8]))
        }
      }
    }
    return entries
  }
}
