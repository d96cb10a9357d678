import Connecting

/// Which paths are carried: into a folder and never out of it, on whatever system the other folder lies.
enum DocumentPath {
  enum Judgement: Hashable {
    case good
    /// Left out without a word: hidden, or under way.
    case leftOut
    case fault(RowFault)
  }

  /// Bytes of a whole path, as many as a key of an object store has.
  static let longest = 1024
  private static let longestName = 255

  static func judge(_ path: some Collection<UInt8>) -> Judgement {
    let bytes = Array(path)
    if bytes.count > longest { return .fault(.tooLong) }
    let scan = bytes.withUnsafeBytes { bytes in bytes.baseAddress.flatMap { UTF8Scan($0, bytes.count).fault } }
    if let fault = scan { return .fault(fault) }
    // A backslash parts folders on other systems.
    if bytes.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\\") }) { return .fault(.wrongFormat) }
    let names = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let dot = UInt8(ascii: ".")
    if names.contains(where: { $0.isEmpty || Array($0) == [dot] || Array($0) == [dot, dot] }) {
      return .fault(.wrongFormat)
    }
    if names.contains(where: { $0.first == dot }) { return .leftOut }
    if names.contains(where: { $0.count > longestName }) { return .fault(.tooLong) }
    let name = String(decoding: names[names.count - 1], as: UTF8.self).lowercased()
    return name.hasSuffix(".tmp") || name.hasSuffix(".part") ? .leftOut : .good
  }

  /// The folders that a file lies in, the outermost first: of `a/b/c` these are `a` and `a/b`.
  static func folders(of path: [UInt8]) -> [[UInt8]] {
    path.indices.filter { path[$0] == UInt8(ascii: "/") }.map { Array(path[..<$0]) }
  }
}
