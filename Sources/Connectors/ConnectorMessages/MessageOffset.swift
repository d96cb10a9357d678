import Connecting
import JSONBytes

/// Where a stream is, as the receiving system keeps it for us: it comes with each message and is given back as it was.
struct MessageOffset: Hashable {
  /// A run that was begun and has not ended.
  struct Run: Hashable {
    var run: String
    /// At its end, what it did not put goes.
    var isWhole: Bool
    /// Its batches have this number and higher ones.
    var firstBatch: Int64
    /// The system held no row when it began: no older version can be out of date.
    var onEmpty: Bool
  }

  /// Of the message that it came with.
  var number = 0
  /// The highest that has taken the stream.
  var fence: Int64
  /// Of the last commit, with the engine's own state.
  var run = ""
  var state = ""
  var lastBatch: Int64 = 0
  /// Of the last batch.
  var record: MessageBatch?
  var begun: Run?
  /// Messages with lower numbers are not asked for any more.
  var keep = 1

  init(fence: Int64) { self.fence = fence }

  /// Nil where nothing was committed yet.
  var stored: StoredOffset? {
    state.isEmpty ? nil : StoredOffset(fence: fence, run: run, batch: lastBatch, state: state)
  }

  var text: String {
    var text = ObjectText()
    text.put("number", number)
    text.put("fence", Int(fence))
    text.put("run", run)
    text.put("last_batch", Int(lastBatch))
    text.put("keep", keep)
    if let record { text.put("record", object: record.text) }
    if let begun {
      var run = ObjectText()
      run.put("run", begun.run)
      run.put("whole", begun.isWhole)
      run.put("first_batch", Int(begun.firstBatch))
      run.put("on_empty", begun.onEmpty)
      text.put("begun", object: run.text)
    }
    text.put("state", state)
    return text.text
  }

  /// Nil for what is no offset of ours.
  init?(_ tree: JSONTree) {
    guard let number = tree["number"]?.int, number > 0, let fence = tree["fence"]?.int, let run = tree["run"]?.string,
      let last = tree["last_batch"]?.int, let keep = tree["keep"]?.int, let state = tree["state"]?.string
    else { return nil }
    self.init(fence: Int64(fence))
    (self.number, self.run, lastBatch, self.keep, self.state) = (number, run, Int64(last), keep, state)
    if let tree = tree["record"] {
      guard let record = MessageBatch(tree) else { return nil }
      self.record = record
    }
    if let tree = tree["begun"] {
      guard let run = tree["run"]?.string, let isWhole = tree["whole"]?.bool, let first = tree["first_batch"]?.int,
        let onEmpty = tree["on_empty"]?.bool
      else { return nil }
      begun = Run(run: run, isWhole: isWhole, firstBatch: Int64(first), onEmpty: onEmpty)
    }
  }
}

/// A committed batch, as the receiving system keeps it for us.
struct MessageBatch: Hashable {
  var record: BatchRecord
  /// Lines that flagged a row as stale.
  var stale: Int
  /// The numbers of the first and the last message that bear it.
  var messages: ClosedRange<Int>

  init(_ record: BatchRecord, stale: Int, messages: ClosedRange<Int>) {
    self.record = record
    self.stale = stale
    self.messages = messages
  }

  var text: String {
    var text = ObjectText()
    text.put("batch", Int(record.batch))
    text.put("run", record.run)
    text.put("rows", record.delivered)
    text.put("quarantined", record.quarantined)
    text.put("bytes", record.bytes)
    text.put("digest", record.digest)
    text.put("stale", stale)
    text.put("from", messages.lowerBound)
    text.put("through", messages.upperBound)
    return text.text
  }

  init?(_ tree: JSONTree) {
    guard let batch = tree["batch"]?.int, let run = tree["run"]?.string, let rows = tree["rows"]?.int,
      let quarantined = tree["quarantined"]?.int, let bytes = tree["bytes"]?.int, let digest = tree["digest"]?.string,
      let stale = tree["stale"]?.int, let from = tree["from"]?.int, let through = tree["through"]?.int, from <= through
    else { return nil }
    self.init(
      BatchRecord(
        batch: Int64(batch), run: run, delivered: rows, quarantined: quarantined, bytes: bytes, digest: digest),
      stale: stale, messages: from...through)
  }
}

/// A JSON object on one line, member by member.
struct ObjectText {
  private var members: [String] = []

  var text: String { "{" + members.joined(separator: ",") + "}" }

  mutating func put(_ name: String, object: String) { members.append(Self.quoted(name) + ":" + object) }
  mutating func put(_ name: String, _ value: String) { put(name, object: Self.quoted(value)) }
  mutating func put(_ name: String, _ value: Int) { put(name, object: String(value)) }
  mutating func put(_ name: String, _ value: Bool) { put(name, object: value ? "true" : "false") }
  mutating func put(_ name: String, list: [String]) { put(name, object: "[" + list.joined(separator: ",") + "]") }

  static func quoted(_ text: String) -> String { String(decoding: WrittenJSON.quoted(text), as: UTF8.self) }
}
