import Connecting
import Kernel

extension ConnectorError {
  static func folder(_ origin: String, _ path: String, _ chinese: String, _ english: String) -> ConnectorError {
    ConnectorError(.permanent, "\(origin).folder", Text("文件夹 \(path)：\(chinese)。", "The folder \(path): \(english)."))
  }

  static func file(_ origin: String, _ name: String, _ chinese: String, _ english: String) -> ConnectorError {
    ConnectorError(.permanent, "\(origin).file", Text("文件“\(name)”：\(chinese)。", "The file “\(name)”: \(english)."))
  }

  /// While one run was reading: what was read so far belongs to a file that is no more, so the run begins again.
  static func changedWhileRead(_ file: SourceFile) -> ConnectorError {
    ConnectorError(
      .retryable, "\(file.origin).changed-while-read",
      Text(
        "文件“\(file.name)”在读取期间发生变化，将重新开始。", "The file “\(file.name)” changed while it was read; the run begins again."))
  }

  /// Between two attempts: the place to go on from is in another file.
  static func changedSince(_ name: String, origin: String = "csv") -> ConnectorError {
    ConnectorError(
      .contract, "\(origin).changed",
      Text(
        "文件“\(name)”已不是上次读到一半的那一个（内容不同），须从头开始新的一次全量。",
        "The file “\(name)” is not the one half read before (its content differs): start a new full run."))
  }
}
