import Connecting
import Kernel
import Remote

/// What a folder's manifests say, whatever it is: a text that a person can read.
protocol NumberedManifest {
  var number: Int { get set }
  /// Tells manifests of the same number apart, of which only one was made.
  var commit: String { get set }
  var written: Instant { get set }
  var fence: Int64 { get }
  var text: String { get }
  /// Nil for what is no manifest of this kind.
  init?(_ bytes: UnsafeRawBufferPointer)
}

/// How manifests are called, and what is true of all of them.
enum Manifests {
  /// Earlier ones that are kept, for readers on their way.
  static let kept = 16
  static let longest = 64 << 20

  static func nonce() -> String {
    var random = SystemRandomNumberGenerator()
    return String(UInt64.random(in: 1 << 60...UInt64.max, using: &random), radix: 16)
  }

  static func unreadable(_ number: Int) -> ConnectorError {
    .contract(
      "manifest", "接收文件夹中的“\(FileSetNames.manifest(number))”不是本平台的清单，或已损坏。",
      "“\(FileSetNames.manifest(number))” in the receiving folder is no manifest of this platform, or it is damaged.")
  }
}

/// The manifests of a table's folder, each made once, under the number after the one that its maker had read.
///
/// That is the fence: of two workers who have read manifest N only one makes N + 1, and who wakes up later finds his number
/// taken, or a higher one. What he had put there besides is named by no manifest.
final class ManifestLog<Content: NumberedManifest> {
  let folder: any TargetFolder
  private(set) var current: Content?

  init(_ folder: any TargetFolder) { self.folder = folder }

  /// The names of the folder's files, and the manifest that counts.
  @discardableResult
  func read() throws(ConnectorError) -> (names: [String], set: Content?) {
    // One that is listed may be gone when it is asked for: others were made meanwhile.
    for _ in 0..<5 {
      let names = try folder.names()
      guard let highest = names.compactMap({ FileSetNames.number(of: $0) }).max() else {
        current = nil
        return (names, nil)
      }
      if let set = try manifest(highest) {
        current = set
        return (names, set)
      }
    }
    throw ConnectorError(
      .retryable, "files.manifest-gone",
      Text("清单文件读取时不断被替换。", "The manifest was replaced again and again while it was read."))
  }

  /// Nil where there is none of that number.
  private func manifest(_ number: Int) throws(ConnectorError) -> Content? {
    guard let file = try folder.open(FileSetNames.manifest(number)) else { return nil }
    guard file.size <= Manifests.longest else { throw Manifests.unreadable(number) }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: file.size, alignment: 16)
    defer { bytes.deallocate() }
    var at = 0
    while at < file.size, let base = bytes.baseAddress {
      let got = try file.read(into: base + at, file.size - at, at: at)
      guard got > 0 else { throw Manifests.unreadable(number) }
      at += got
    }
    guard let set = Content(UnsafeRawBufferPointer(bytes)), set.number == number else {
      throw Manifests.unreadable(number)
    }
    return set
  }

  /// Makes the next manifest. Throws `.fenced` where another has made it.
  func commit(_ set: Content, at now: Instant) throws(ConnectorError) {
    var next = set
    next.number = (current?.number ?? 0) + 1
    next.commit = Manifests.nonce()
    next.written = now
    let content = try SpoolFile()
    try content.append(next.text)
    guard content.count <= Manifests.longest else {
      throw ConnectorError(
        .permanent, "files.manifest-too-large",
        Text("清单超过 64 MiB；请减少单次交付的数据量。", "The manifest exceeds 64 MiB: deliver less at once."))
    }
    let name = FileSetNames.manifest(next.number)
    let isMade: Bool
    do throws(ConnectorError) {
      isMade = try folder.create(
        content, as: name, through: FileSetNames.temporary("manifest-\(next.number)", fence: next.fence))
    } catch {
      // Whether it was made before the connection broke, the folder knows.
      guard error.kind == .retryable, try manifest(next.number)?.commit == next.commit else { throw error }
      isMade = true
    }
    if !isMade, try manifest(next.number)?.commit != next.commit { throw .takenOver }
    // A number that is free again because its manifest was put away: the higher ones count.
    let numbers = try folder.names().compactMap { FileSetNames.number(of: $0) }
    guard numbers.max() == next.number else {
      try? folder.remove(name)
      throw .takenOver
    }
    current = next
    for number in numbers where number < next.number - Manifests.kept {
      try? folder.remove(FileSetNames.manifest(number))
    }
  }
}
