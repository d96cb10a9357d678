import CArchive
import Glibc
package import Kernel

/// Writes a zip: a form and its attachments in one file. It appears under its name only by `finish`; until then, and when
/// the writer is dropped, nothing remains. Blocks while it writes. Not thread-safe.
package final class BundleWriter {
  private let path: String
  private let temporary: String
  private var archive: OpaquePointer?

  package init(path: String) throws {
    self.path = path
    temporary = path + ".part"
    guard let archive = archive_write_new() else { throw AttachmentFolder.trouble(ENOMEM) }
    self.archive = archive
    // Names are UTF-8 and marked so, whatever the process's locale.
    guard archive_write_set_format_zip(archive) == ARCHIVE_OK,
      archive_write_set_options(archive, "zip:hdrcharset=UTF-8") >= ARCHIVE_WARN,
      archive_write_open_filename(archive, temporary) == ARCHIVE_OK
    else { throw fault() }
  }

  deinit {
    if let archive { archive_write_free(archive) }
    unlink(temporary)
  }

  package func add(_ name: String, _ bytes: [UInt8], at moment: Instant) throws {
    guard let archive, let entry = archive_entry_new() else { throw AttachmentFolder.trouble(ENOMEM) }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname_utf8(entry, name)
    archive_entry_set_size(entry, Int64(bytes.count))
    archive_entry_set_filetype(entry, 0o100000)
    archive_entry_set_perm(entry, 0o644)
    archive_entry_set_mtime(entry, Int(moment.milliseconds / 1000), 0)
    guard archive_write_header(archive, entry) == ARCHIVE_OK else { throw fault() }
    let written = bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
    guard written == bytes.count else { throw fault() }
  }

  package func finish() throws {
    guard let archive else { return }
    guard archive_write_close(archive) == ARCHIVE_OK else { throw fault() }
    archive_write_free(archive)
    self.archive = nil
    guard rename(temporary, path) == 0 else { throw AttachmentFolder.trouble(errno) }
  }

  private func fault() -> Refusal {
    AttachmentFolder.trouble(archive.map { archive_errno($0) } ?? EIO)
  }
}
