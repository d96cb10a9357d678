import Connecting
import Remote

/// A folder of a store elsewhere.
final class RemoteDocumentTarget: DocumentTarget {
  let hidden: any TargetFolder
  let isNear = false
  private let store: any FileStore
  private let cancellation: RemoteCancellation

  init(_ store: any FileStore, _ cancellation: RemoteCancellation) {
    self.store = store
    self.cancellation = cancellation
    hidden = RemoteTargetFolder(store.folder(DocumentNames.hidden), cancellation)
  }

  /// Stores make folders with their first file.
  func prepare() throws(ConnectorError) {}

  func visible() throws(ConnectorError) -> Bool {
    do throws(ConnectorError) {
      return try RemoteDocumentWalk(store, from: [], cancellation).next() != nil
    } catch {
      if error.code == "remote.missing", store.address.scheme == .sftp { return false }
      throw error
    }
  }

  func alone<T>(_ body: () throws(ConnectorError) -> T) throws(ConnectorError) -> T { try body() }

  func gather(
    _ content: SpoolFile, as name: String, through temporary: String, modified: Int64
  ) throws(ConnectorError) -> Bool { try hidden.create(content, as: name, through: temporary) }

  func check(_ path: String) throws(ConnectorError) {}

  func publish(_ name: String, as path: String) throws(ConnectorError) {
    _ = try store.move(DocumentNames.hidden + "/" + name, to: path, cancellation)
  }

  func remove(_ path: String) throws(ConnectorError) {
    do throws(ConnectorError) { try store.remove(path, cancellation) } catch {
      guard error.code == "remote.missing" else { throw error }
    }
  }

  func settle() throws(ConnectorError) {}

  func mayHold(_ version: DocumentVersion, at path: String) throws(ConnectorError) -> Bool { true }

  func open(_ path: String) throws(ConnectorError) -> DocumentContent? {
    let spool = try SpoolFile()
    do throws(ConnectorError) {
      return try store.fetch([StoredFile(name: path)], into: spool, cancellation).first.map {
        DocumentContent(spool, $0.range, modified: nil)
      }
    } catch {
      if error.code == "remote.missing" { return nil }
      throw error
    }
  }
}
