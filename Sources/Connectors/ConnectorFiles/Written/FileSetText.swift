import Connecting
import JSONBytes
import Kernel

// The manifest as JSON: written so that a person can read it, and read so that a stranger's file is refused.

extension FileSet {
  static let format = "sanjiang-files/1"

  var text: String {
    var out = ManifestText()
    out.object { out in
      out.member("format", Self.format)
      out.member("number", number)
      out.member("commit", commit)
      out.member("written", written.description)
      out.member("table", table)
      out.member("stream", stream)
      out.member("fence", Int(fence))
      out.member("last_batch", Int(lastBatch))
      out.member("run", run)
      Self.put(columns, key, &out)
      Self.put(files, &out)
      BatchRecord.put(batches, &out)
      out.member("state", state)
      if let pending {
        out.name("pending")
        out.object { out in
          out.member("run", pending.run)
          out.member("started", pending.started.description)
          out.member("mode", pending.mode.rawValue)
          out.member("replaces", pending.replaces)
          Self.put(pending.columns, pending.key, &out)
          Self.put(pending.files, &out)
          BatchRecord.put(pending.batches, &out)
          out.member("state", pending.state)
        }
      }
      out.name("dropped")
      out.array(dropped) { file, out in
        out.object { out in
          out.member("name", file.name)
          out.member("since", file.since.description)
        }
      }
    }
    return out.text + "\n"
  }

  private static func put(_ columns: [Column], _ key: [String], _ out: inout ManifestText) {
    out.name("columns")
    out.array(columns) { column, out in
      out.object { out in
        out.member("name", column.name)
        out.member("type", column.type.description)
        if let length = column.length { out.member("length", length) }
      }
    }
    out.name("key")
    out.array(key) { $1.value($0) }
  }

  private static func put(_ files: [DataFile], _ out: inout ManifestText) {
    out.name("files")
    out.array(files) { file, out in
      out.object { out in
        out.member("name", file.name)
        out.member("mode", file.mode.rawValue)
        out.member("content", file.content.rawValue)
        out.member("rows", file.rows)
        if file.deleted > 0 { out.member("deleted", file.deleted) }
        if file.stale > 0 { out.member("stale", file.stale) }
        out.member("bytes", file.bytes)
        out.member("sm3", file.digest)
        out.member("run", file.run)
        out.member("fence", Int(file.fence))
        out.member("first_batch", Int(file.firstBatch))
        out.name("batch_lines")
        out.array(file.batchLines) { $1.value($0) }
        out.member("longest_line", file.longestLine)
      }
    }
  }

  // MARK: Reading

  /// Nil for what is no manifest of ours.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard let root = JSONTree(bytes), root["format"]?.string == Self.format, let number = root["number"]?.int,
      let commit = root["commit"]?.string, let written = root["written"]?.instant, let table = root["table"]?.string,
      let stream = root["stream"]?.string, let fence = root["fence"]?.int, let last = root["last_batch"]?.int,
      let run = root["run"]?.string, let shape = Self.shape(root), let files = Self.files(root),
      let batches = BatchRecord.batches(root), let state = root["state"]?.string, let dropped = root["dropped"]?.array
    else { return nil }
    self.init(table: table, stream: stream, fence: Int64(fence))
    (self.number, self.commit, self.written, lastBatch, self.run) = (number, commit, written, Int64(last), run)
    (columns, key, self.files, self.batches, self.state) = (shape.columns, shape.key, files, batches, state)
    for file in dropped {
      guard let name = file["name"]?.string, let since = file["since"]?.instant else { return nil }
      self.dropped.append(Dropped(name: name, since: since))
    }
    guard let under = root["pending"] else { return }
    guard let run = under["run"]?.string, let started = under["started"]?.instant,
      let mode = under["mode"]?.string.flatMap({ Mode(rawValue: $0) }), let replaces = under["replaces"]?.bool,
      let shape = Self.shape(under), let files = Self.files(under), let batches = BatchRecord.batches(under),
      let state = under["state"]?.string
    else { return nil }
    pending = Pending(
      run: run, started: started, mode: mode, replaces: replaces, columns: shape.columns, key: shape.key, state: state,
      files: files, batches: batches)
  }

  private static func shape(_ tree: JSONTree) -> (columns: [Column], key: [String])? {
    guard let columns = tree["columns"]?.array, let key = tree["key"]?.array else { return nil }
    var read: [Column] = []
    for column in columns {
      guard let name = column["name"]?.string, let type = column["type"]?.string.flatMap({ ValueType($0) }) else {
        return nil
      }
      read.append(Column(name: name, type: type, length: column["length"]?.int))
    }
    let names = key.compactMap(\.string)
    guard names.count == key.count, names.allSatisfy({ name in read.contains { $0.name == name } }) else { return nil }
    return (read, names)
  }

  private static func files(_ tree: JSONTree) -> [DataFile]? {
    guard let files = tree["files"]?.array else { return nil }
    var read: [DataFile] = []
    for file in files {
      guard let name = file["name"]?.string, let mode = file["mode"]?.string.flatMap({ Mode(rawValue: $0) }),
        let content = file["content"]?.string.flatMap({ Content(rawValue: $0) }), let rows = file["rows"]?.int,
        let bytes = file["bytes"]?.int, let digest = file["sm3"]?.string, let run = file["run"]?.string,
        let fence = file["fence"]?.int, let first = file["first_batch"]?.int, let lines = file["batch_lines"]?.array,
        let longest = file["longest_line"]?.int
      else { return nil }
      read.append(
        DataFile(
          name: name, mode: mode, content: content, run: run, fence: Int64(fence), rows: rows,
          deleted: file["deleted"]?.int ?? 0, stale: file["stale"]?.int ?? 0, bytes: bytes, digest: digest,
          firstBatch: Int64(first), batchLines: lines.compactMap(\.int), longestLine: longest))
    }
    return read
  }
}
