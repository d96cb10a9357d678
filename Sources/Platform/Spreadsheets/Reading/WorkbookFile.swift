import Glibc
import Kernel

/// One open file. Closed with the last reference.
///
/// Read in pieces with `pread`, never mapped: a mapped file that somebody cuts short kills the process.
final class WorkbookFile {
  let name: String
  let size: Int
  private let descriptor: CInt

  init(_ path: String, name: String? = nil, most: Int) throws(Refusal) {
    self.name = name ?? String(path.split(separator: "/").last ?? "")
    // Without O_NONBLOCK opening a pipe would wait for its writer.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    let shownName = shown(self.name)
    guard descriptor >= 0 else {
      throw .workbook(
        "file", "文件“\(shownName)”不存在或无权打开。", "The file “\(shownName)” does not exist or may not be opened.")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .workbook("file", "“\(shownName)”不是普通文件。", "“\(shownName)” is no regular file.")
    }
    size = Int(status.st_size)
    guard size <= most else {
      close(descriptor)
      throw .tooLarge(
        "file-size", "文件“\(shownName)”有 \(size) 字节，上限为 \(sizeText(most))。请拆分后分次上传。",
        "The file “\(shownName)” has \(size) bytes; \(sizeText(most)) is the most. Split it and send the pieces.")
    }
  }

  deinit { close(descriptor) }

  /// Up to `count` bytes at that offset; 0 at the end, nil when the disk fails.
  func read(into target: UnsafeMutableRawPointer, _ count: Int, at offset: Int) -> Int? {
    while true {
      let got = pread(descriptor, target, max(0, min(count, size - offset)), offset)
      if got >= 0 { return got }
      guard errno == EINTR else { return nil }
    }
  }

  func bytes(_ count: Int, at offset: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = buffer.baseAddress.flatMap { read(into: $0, count, at: offset) } ?? 0
    }
  }

  /// True when those bytes stand anywhere in the file.
  func contains(_ wanted: [UInt8]) -> Bool {
    var offset = 0
    while offset < size {
      let piece = bytes(1 << 16, at: offset)
      var at = 0
      while let found = piece[at...].firstIndex(of: wanted[0]) {
        if piece[found...].starts(with: wanted) { return true }
        at = found + 1
      }
      if piece.count < 1 << 16 { return false }
      // Pieces overlap, so that nothing is missed at their seams.
      offset += piece.count - wanted.count
    }
    return false
  }
}
