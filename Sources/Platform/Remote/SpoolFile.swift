internal import CCurl
package import Connecting
import Glibc
import Kernel

/// Bytes on the disk that only this process sees: a file without a name (mode 0600), gone when its last reference is,
/// however the process ends. Bounded. Used by one thread at a time; only `bytesOnDisk` may be asked by another.
package final class SpoolFile: @unchecked Sendable {
  /// What one spool may hold at most, unless its maker says otherwise.
  package static let most = 16 << 30

  package let descriptor: CInt
  package private(set) var count = 0
  private let limit: Int

  /// In `TMPDIR`, else in `/var/tmp`, which unlike `/tmp` is never memory.
  package init(limit: Int = SpoolFile.most) throws(ConnectorError) {
    self.limit = limit
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
    var descriptor = sj_nameless_file(folder)
    if descriptor < 0 {
      // A file system without nameless files: the name goes at once.
      var path = Array("\(folder)/sanjiang-XXXXXX".utf8CString)
      descriptor = mkstemp(&path)
      if descriptor >= 0 { unlink(path) }
    }
    guard descriptor >= 0 else {
      let code = errno
      throw ConnectorError(
        .retryable, "spool.open",
        Text(
          "无法在 \(folder) 建立临时文件（errno \(code)）。", "No temporary file could be made in \(folder) (errno \(code))."))
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  package func append(_ bytes: UnsafeRawBufferPointer) throws(ConnectorError) {
    guard count + bytes.count <= limit else {
      throw ConnectorError(
        .permanent, "spool.limit",
        Text(
          "数据超过 \(limit >> 20) MiB 的暂存上限，请拆分。",
          "The data exceeds the \(limit >> 20) MiB that are kept for it; split it."))
    }
    var at = 0
    while at < bytes.count {
      let put = pwrite(descriptor, bytes.baseAddress! + at, bytes.count - at, count)
      if put < 0, errno == EINTR { continue }
      guard put > 0 else {
        let code = errno
        let isFull = [ENOSPC, EDQUOT, EFBIG].contains(code)
        throw ConnectorError(
          .retryable, "spool.write",
          Text(
            isFull ? "存放临时文件的磁盘已满。" : "写临时文件失败（errno \(code)）。",
            isFull
              ? "The disk of the temporary files is full." : "Writing a temporary file failed (errno \(code))."))
      }
      at += put
      count += put
    }
  }

  /// What has reached the file, asked of the system: from any thread.
  package var bytesOnDisk: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Takes back what was appended after that many bytes.
  package func truncate(to count: Int) {
    ftruncate(descriptor, count)
    self.count = min(count, self.count)
  }

  /// Up to `wanted` bytes from that place on; 0 at the end.
  package func read(into target: UnsafeMutableRawPointer, _ wanted: Int, at offset: Int) throws(ConnectorError) -> Int {
    while true {
      let got = pread(descriptor, target, max(0, min(wanted, count - offset)), offset)
      if got >= 0 { return got }
      guard errno == EINTR else {
        throw ConnectorError(
          .retryable, "spool.read",
          Text("读临时文件失败（errno \(errno)）。", "Reading a temporary file failed (errno \(errno))."))
      }
    }
  }
}
