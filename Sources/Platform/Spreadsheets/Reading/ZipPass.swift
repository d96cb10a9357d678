import CArchive
import Glibc
import Kernel

/// One pass of libarchive over a zip's entries, in the order in which they lie in the file. The directory at the file's
/// end rules, so that streamed zips (sizes after the data) are read like any other.
final class ZipPass {
  struct Entry {
    var name: String
    /// What the directory says; nil where it says nothing.
    var size: Int?
    var isEncrypted: Bool
    var isFolder: Bool
  }

  /// The file is read in pieces of so many bytes.
  static let blockSize = 32 << 10

  private let archive: OpaquePointer
  private let source: Source
  private let kind: PackedKind

  init(_ file: WorkbookFile, _ kind: PackedKind) throws(Refusal) {
    guard let archive = archive_read_new() else { throw Self.noMemory }
    self.archive = archive
    self.kind = kind
    source = Source(file)
    archive_read_support_format_zip_seekable(archive)
    archive_read_set_callback_data(archive, Unmanaged.passUnretained(source).toOpaque())
    archive_read_set_read_callback(archive) { _, data, block in
      let source = Unmanaged<Source>.fromOpaque(data!).takeUnretainedValue()
      block!.pointee = UnsafeRawPointer(source.block)
      return source.read()
    }
    archive_read_set_seek_callback(archive) { _, data, offset, from in
      Unmanaged<Source>.fromOpaque(data!).takeUnretainedValue().seek(offset, from)
    }
    guard archive_read_open1(archive) == ARCHIVE_OK else { throw Self.torn(file, Self.trouble(archive)) }
  }

  deinit { archive_read_free(archive) }

  /// Packed bytes taken from the file so far, whole blocks of it.
  var packedBytes: Int { source.served }

  func next() throws(Refusal) -> Entry? {
    // libarchive hands names out by the thread's locale: in a service's plain C locale no Chinese name comes through.
    let before = uselocale(Self.unicode)
    defer { uselocale(before) }
    var entry: OpaquePointer?
    let result = archive_read_next_header(archive, &entry)
    if result == ARCHIVE_EOF { return nil }
    // A warning speaks of a name's encoding.
    guard result >= ARCHIVE_WARN, let entry else { throw Self.torn(source.file, Self.trouble(archive)) }
    let name = archive_entry_pathname_utf8(entry).map { String(cString: $0) }
    return Entry(
      name: name ?? archive_entry_pathname(entry).map(Self.decoded) ?? "",
      size: archive_entry_size_is_set(entry) != 0 ? Int(archive_entry_size(entry)) : nil,
      isEncrypted: archive_entry_is_encrypted(entry) != 0,
      isFolder: archive_entry_filetype(entry) == 0o040000)
  }

  /// The entry's next bytes, valid until the next call; nil at its end, where libarchive has compared size and CRC.
  func data(of name: String) throws(Refusal) -> UnsafeRawBufferPointer? {
    var block: UnsafeRawPointer?
    var count = 0
    var offset: Int64 = 0
    switch archive_read_data_block(archive, &block, &count, &offset) {
    case ARCHIVE_OK: return UnsafeRawBufferPointer(start: block, count: count)
    case ARCHIVE_EOF: return nil
    default:
      let trouble = Self.trouble(archive)
      if trouble.contains("Unsupported ZIP compression") {
        throw kind.part("compression", name, "使用了不支持的压缩方法。", "it is packed by a method that is not supported.")
      }
      throw kind.part("damaged", name, "数据已损坏。", "its data are damaged (\(trouble)).")
    }
  }

  /// A name that is not UTF-8 and does not say so: what packs files in China writes GB 18030.
  private static func decoded(_ name: UnsafePointer<CChar>) -> String {
    let bytes = Array(UnsafeRawBufferPointer(start: name, count: strlen(name)))
    return (try? TextFile(bytes))?.text ?? String(decoding: bytes, as: UTF8.self)
  }

  private static func trouble(_ archive: OpaquePointer) -> String {
    archive_error_string(archive).map { shown(String(cString: $0)) } ?? "?"
  }

  static func torn(_ file: WorkbookFile, _ trouble: String) -> Refusal {
    let name = shown(file.name)
    return .workbook(
      "torn", "文件“\(name)”不完整或已损坏，可能没有传完。请重新保存并上传。",
      "The file “\(name)” is cut off or damaged; perhaps not all of it arrived (\(trouble)). Save it and send it again."
    )
  }

  /// Only how characters are written; nil, which changes nothing, where the system lacks it.
  nonisolated(unsafe) private static let unicode = newlocale(1 << LC_CTYPE, "C.UTF-8", nil)

  private static let noMemory = Refusal(
    .unavailable, "spreadsheet.memory", Text("内存不足，请稍后再试。", "Out of memory; try again later."))

  /// The file as libarchive reads it: in blocks from a place that moves.
  private final class Source {
    let file: WorkbookFile
    let block = UnsafeMutableRawPointer.allocate(byteCount: ZipPass.blockSize, alignment: 16)
    var offset = 0
    var served = 0

    init(_ file: WorkbookFile) { self.file = file }
    deinit { block.deallocate() }

    func read() -> Int {
      guard let got = file.read(into: block, ZipPass.blockSize, at: offset) else { return Int(ARCHIVE_FATAL) }
      offset += got
      served += got
      return got
    }

    func seek(_ to: Int64, _ from: CInt) -> Int64 {
      let base = from == 0 ? 0 : from == 1 ? offset : file.size
      let (place, overflow) = base.addingReportingOverflow(Int(to))
      guard !overflow, place >= 0, place <= file.size else { return Int64(ARCHIVE_FATAL) }
      offset = place
      return Int64(place)
    }
  }
}
