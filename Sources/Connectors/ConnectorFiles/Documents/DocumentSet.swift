import Connecting
import JSONBytes
import Kernel

/// What a folder that receives documents remembers in its hidden place: the engine's offset, where the list of its files
/// is, and what was committed and perhaps not carried out yet.
struct DocumentSet: NumberedManifest {
  static let format = "sanjiang-documents/1"

  /// One of the files that list what is there, the later ones over the earlier.
  struct Listing: Hashable {
    var name: String
    var bytes: Int
    /// SM3 of the whole.
    var digest: String
  }

  /// A file that is to stand at its path no more, and what it was.
  struct Gone: Hashable {
    var path: String
    var version: DocumentVersion
  }

  /// A file that lies ready under `name` and belongs at `path`.
  struct Ready: Hashable {
    var name: String
    var path: String
  }

  var number = 0
  var commit = ""
  var written = Instant(milliseconds: 0)
  var table: String
  var stream: String
  var fence: Int64
  var lastBatch: Int64 = 0
  var run = ""
  var state = ""
  var batches: [BatchRecord] = []
  var listings: [Listing] = []
  /// Taken away before what is ready is put in place.
  var gone: [Gone] = []
  var ready: [Ready] = []

  init(table: String, stream: String, fence: Int64) {
    self.table = table
    self.stream = stream
    self.fence = fence
  }

  var offset: StoredOffset? {
    state.isEmpty ? nil : StoredOffset(fence: fence, run: run, batch: lastBatch, state: state)
  }

  mutating func add(_ record: BatchRecord) {
    // Receipts are of one run.
    if let last = batches.last, last.run != record.run { batches = [] }
    if (batches.last?.batch ?? 0) < record.batch {
      batches.append(record)
    } else if let place = batches.lastIndex(where: { $0.batch == record.batch }) {
      batches[place] = record
    }
    lastBatch = max(lastBatch, record.batch)
  }

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
      out.name("listings")
      out.array(listings) { listing, out in
        out.object { out in
          out.member("name", listing.name)
          out.member("bytes", listing.bytes)
          out.member("sm3", listing.digest)
        }
      }
      out.name("gone")
      out.array(gone) { file, out in
        out.object { out in
          out.member("path", file.path)
          out.member("size", file.version.size)
          out.member("modified", Int(file.version.modified))
        }
      }
      out.name("ready")
      out.array(ready) { file, out in
        out.object { out in
          out.member("name", file.name)
          out.member("path", file.path)
        }
      }
      BatchRecord.put(batches, &out)
      out.member("state", state)
    }
    return out.text + "\n"
  }

  init?(_ bytes: UnsafeRawBufferPointer) {
    guard let root = JSONTree(bytes), root["format"]?.string == Self.format, let number = root["number"]?.int,
      let commit = root["commit"]?.string, let written = root["written"]?.instant, let table = root["table"]?.string,
      let stream = root["stream"]?.string, let fence = root["fence"]?.int, let last = root["last_batch"]?.int,
      let run = root["run"]?.string, let listings = root["listings"]?.array, let gone = root["gone"]?.array,
      let ready = root["ready"]?.array, let batches = BatchRecord.batches(root), let state = root["state"]?.string
    else { return nil }
    self.init(table: table, stream: stream, fence: Int64(fence))
    (self.number, self.commit, self.written, lastBatch, self.run) = (number, commit, written, Int64(last), run)
    (self.batches, self.state) = (batches, state)
    for listing in listings {
      guard let name = listing["name"]?.string, let bytes = listing["bytes"]?.int, let digest = listing["sm3"]?.string
      else { return nil }
      self.listings.append(Listing(name: name, bytes: bytes, digest: digest))
    }
    for file in gone {
      guard let path = file["path"]?.string, let size = file["size"]?.int, let modified = file["modified"]?.int
      else { return nil }
      self.gone.append(Gone(path: path, version: DocumentVersion(size: size, modified: Int64(modified))))
    }
    for file in ready {
      guard let name = file["name"]?.string, let path = file["path"]?.string else { return nil }
      self.ready.append(Ready(name: name, path: path))
    }
    // What names a place outside is no manifest of ours.
    guard (self.gone.map(\.path) + self.ready.map(\.path)).allSatisfy({ DocumentPath.judge($0.utf8) == .good }),
      self.ready.allSatisfy({ DocumentNames.fence(of: $0.name) != nil })
    else { return nil }
  }
}

/// How the files of the hidden place are called. Each bears its worker's fence.
enum DocumentNames {
  static let hidden = ".sanjiang"

  enum Kind: String, CaseIterable {
    /// A whole file, not yet at its path.
    case ready
    /// Parts of files that are not complete.
    case parts
    /// What lies where.
    case list

    var ending: String { self == .list ? ".tsv" : ".bin" }
  }

  static func name(_ kind: Kind, _ batch: Int64, _ place: Int, fence: Int64) -> String {
    "\(kind.rawValue)-\(batch)-\(place)-f\(fence)\(kind.ending)"
  }

  /// The fence in the name of what a worker made, whole or under way; nil for all other names.
  static func fence(of name: String) -> Int64? {
    var rest = Substring(name)
    if rest.hasSuffix(".part") {
      rest = rest.dropLast(5)
      guard rest.hasPrefix("probe-") || rest.hasPrefix("manifest-") || isOurs(rest) else { return nil }
    } else {
      guard isOurs(rest), let dot = rest.lastIndex(of: ".") else { return nil }
      rest = rest[..<dot]
    }
    guard let mark = rest.lastIndex(of: "f"), rest[..<mark].hasSuffix("-") else { return nil }
    return Int64(rest[rest.index(after: mark)...])
  }

  private static func isOurs(_ name: Substring) -> Bool {
    !name.contains("/") && Kind.allCases.contains { name.hasPrefix($0.rawValue + "-") }
  }
}
