package import Connecting
package import Kernel

/// A file of a store elsewhere.
package struct StoredFile: Hashable, Sendable {
  package var name: String
  /// Nil where a listing does not tell.
  package var size: Int?
  /// What changes when the file's content does, as the store tells it (an ETag, a time); nil where a listing does not.
  package var mark: String?
  package var modified: Instant?

  package init(name: String, size: Int? = nil, mark: String? = nil, modified: Instant? = nil) {
    self.name = name
    self.size = size
    self.mark = mark
    self.modified = modified
  }
}

/// A file of a store as it was copied here: where the copy lies in its spool, and what the original showed.
package struct FetchedFile: Hashable, Sendable {
  package var name: String
  package var range: Range<Int>
  package var mark: String
  package var modified: Instant?
}

/// One folder of files elsewhere. Blocks; each call is a session of its own on the caller's thread.
package protocol FileStore: Sendable {
  /// For the rules of admission, before anything is connected.
  var address: RemoteAddress { get }
  /// The folder's own files in the order of their names, without folders; no more than `FileStores.most` are taken.
  func list(_ cancellation: RemoteCancellation?) throws(ConnectorError) -> [StoredFile]
  /// Copies these files to the spool's end, one after the other. A file that changes meanwhile is an error.
  func fetch(
    _ files: [StoredFile], into spool: SpoolFile, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) -> [FetchedFile]
  /// Throws unless these files are still what was fetched.
  func verify(_ files: [FetchedFile], _ cancellation: RemoteCancellation?) throws(ConnectorError)
  /// Puts the spool's bytes under that name, whole or not at all.
  func put(_ spool: SpoolFile, as name: String, _ cancellation: RemoteCancellation?) throws(ConnectorError)
  /// Puts the spool's bytes under that name, whole or not at all, unless there is a file of it: false then, and that file
  /// is as it was. Of two that do so at once only one is told true. `temporary` is where a store that needs it gathers the
  /// bytes first: a name that nobody else uses. The folder is made where it is missing.
  func create(
    _ spool: SpoolFile, as name: String, through temporary: String, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) -> Bool
  func remove(_ name: String, _ cancellation: RemoteCancellation?) throws(ConnectorError)
  /// The folder of that name within this one, which need not exist.
  func folder(_ name: String) -> any FileStore
  /// The names of the folders within this one, without hidden ones, in no order.
  func folders(_ cancellation: RemoteCancellation?) throws(ConnectorError) -> [String]
  /// Its files and those of all folders within it, whatever they are called, from that path on. Links are not followed and
  /// not listed, hidden folders where the store has folders neither.
  func walk(from path: String, _ cancellation: RemoteCancellation?) throws(ConnectorError) -> any FileWalk
  /// Gives a file of this folder another path within it, where it takes the place of a file that is there; folders on the
  /// way are made. False where there is no file of that name (any more): of two that do so only one is told true.
  func move(_ name: String, to path: String, _ cancellation: RemoteCancellation?) throws(ConnectorError) -> Bool
}

package enum FileStores {
  /// Files of one folder that are listed.
  package static let most = 100_000

  /// A name of one file: no path, no control characters, nothing hidden.
  package static func isPlain(_ name: String) -> Bool {
    let bytes = name.utf8
    return !bytes.isEmpty && bytes.count <= 200 && bytes.first != UInt8(ascii: ".")
      && !bytes.contains { $0 < 0x20 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == 0x7F }
  }

  static func tooMany(_ address: RemoteAddress) -> ConnectorError {
    ConnectorError(
      .permanent, "remote.too-many",
      Text(
        "\(address.host)：目录中的文件超过 \(most) 个，请分目录存放。",
        "\(address.host): more than \(most) files in the folder; use several."))
  }

  static func changed(_ name: String) -> ConnectorError {
    ConnectorError(
      .retryable, "remote.changed",
      Text("文件“\(name)”在读取期间发生变化，将重新开始。", "The file “\(name)” changed while it was read; the run begins again."))
  }
}

extension RemoteSession {
  /// Copies an answer to the spool's end; takes it back when it does not come whole.
  func copy(_ request: Request, to spool: SpoolFile) throws(ConnectorError) -> (Answer, Range<Int>) {
    let start = spool.count
    let most = limits.file
    do throws(ConnectorError) {
      let answer = try perform(request) { bytes throws(ConnectorError) in
        guard spool.count - start + bytes.count <= most else { throw RemoteErrors.tooLarge(request.address, most) }
        try spool.append(bytes)
      }
      return (answer, start..<spool.count)
    } catch {
      spool.truncate(to: start)
      throw error
    }
  }

  /// An answer kept in memory.
  func bytes(_ request: Request, accepts: Set<UInt32> = []) throws(ConnectorError) -> (Answer, [UInt8]) {
    var body: [UInt8] = []
    let most = limits.answer
    let answer = try perform(request, accepts: accepts) { bytes throws(ConnectorError) in
      guard body.count + bytes.count <= most else { throw RemoteErrors.tooLarge(request.address, most) }
      body += bytes
    }
    return (answer, body)
  }
}

extension SpoolFile {
  /// Gives the spool's bytes to a request that sends them.
  func body() -> (UnsafeMutableRawPointer, Int) throws(ConnectorError) -> Int {
    var at = 0
    return { target, room throws(ConnectorError) in
      let got = try self.read(into: target, room, at: at)
      at += got
      return got
    }
  }
}
