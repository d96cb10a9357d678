import Connecting
import Kernel
import Remote

/// A folder that receives documents. Each is gathered in the hidden place and then given its path, which happens once: who
/// comes late finds nothing there any more. Used by one thread.
protocol DocumentTarget: AnyObject {
  /// The place within it that nobody looks at.
  var hidden: any TargetFolder { get }
  /// Reading what stands there costs little beside writing it anew.
  var isNear: Bool { get }
  /// Makes the folder where it is missing.
  func prepare() throws(ConnectorError)
  /// Some file that is visible there.
  func visible() throws(ConnectorError) -> Bool
  /// Nobody else is in this at the same time, where the store can see to that.
  func alone<T>(_ body: () throws(ConnectorError) -> T) throws(ConnectorError) -> T
  /// A whole file in the hidden place, with its time where the store keeps it. False where there is one of that name.
  func gather(
    _ content: SpoolFile, as name: String, through temporary: String, modified: Int64
  ) throws(ConnectorError) -> Bool
  /// Throws where no file can stand at that path: a folder does, or a file where a folder has to be.
  func check(_ path: String) throws(ConnectorError)
  /// Takes the place of what stands there. Nothing happens where there is no file of that name any more.
  func publish(_ name: String, as path: String) throws(ConnectorError)
  /// Nothing happens where there is none. Folders that are empty then go too.
  func remove(_ path: String) throws(ConnectorError)
  /// What was published is lasting, as far as the store can promise.
  func settle() throws(ConnectorError)
  /// False where what stands there cannot be what was published; true where nobody can tell without reading it.
  func mayHold(_ version: DocumentVersion, at path: String) throws(ConnectorError) -> Bool
  /// Nil where there is none.
  func open(_ path: String) throws(ConnectorError) -> DocumentContent?
}

extension ConnectorError {
  static func documentClash(_ path: String) -> ConnectorError {
    ConnectorError(
      .permanent, "documents.clash",
      Text(
        "接收文件夹中“\(path)”处不能放文件：那里是文件夹或链接，或其上级是一个文件。请移走后重试。",
        "No file can stand at “\(path)” of the receiving folder: a folder or a link is there, or a file where a folder has to be. Move it away and try again."
      ))
  }
}
