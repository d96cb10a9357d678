/// What came of a run, for the summary.
struct Tally {
  var runs: [String: Int] = [:]
  var attempts = 0
  /// Workers that were alive when they were killed.
  var kills = 0
  var servers = 0
  var backends = 0
  var cuts = 0
  var fullDisks = 0
  var pauses = 0
  /// Stopped or doubled workers that the target refused.
  var fenced = 0
  /// Successors that had to wait for the worker that was stopped, as it held rows of an open transaction.
  var waited = 0
  var breaches = 0
  var touches = 0
  var slots = 0
  /// Deliveries whose parts were gathered.
  var gathered = 0
  /// Receivers of messages killed.
  var receivers = 0
  /// Connections to a receiver that were torn in a request, and in an answer.
  var requestsTorn = 0
  var answersTorn = 0
  /// Requests that a receiver in trouble answered so.
  var busy = 0
  /// Messages that receivers took.
  var messages = 0
  /// Deliveries of files that came to their end, and the files of the folders that were found whole in the end.
  var folders = 0
  var documents = 0
  /// Files rewritten, removed or added while a worker was under way.
  var rewritten = 0
  var checks = 0
  var skipped = 0

  static func += (a: inout Tally, b: Tally) {
    a.runs.merge(b.runs) { $0 + $1 }
    for path in numbers { a[keyPath: path] += b[keyPath: path] }
  }

  private static var numbers: [WritableKeyPath<Tally, Int>] {
    [
      \.attempts, \.kills, \.servers, \.backends, \.cuts, \.fullDisks, \.pauses, \.fenced, \.waited, \.breaches,
      \.touches, \.slots, \.gathered, \.receivers, \.requestsTorn, \.answersTorn, \.busy, \.messages, \.folders,
      \.documents, \.rewritten, \.checks, \.skipped,
    ]
  }
}
