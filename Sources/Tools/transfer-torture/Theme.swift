/// What happens to a run's deliveries.
enum Theme: String, CaseIterable {
  /// Workers are killed.
  case worker
  /// Database servers are killed.
  case server
  /// A worker is stopped, another takes over, and the first one goes on.
  case pause
  /// Two workers have one task at the same time.
  case twice
  /// Connections are torn, some in the middle of a message.
  case cut
  /// The target's disk is full.
  case disk
  /// The source changes its shape.
  case shape
  /// The source changes its rows while it is read.
  case touch
  /// The source loses what it keeps for the stream.
  case slot
  /// One bad row at every position of a batch.
  case positions
  /// The receiver of messages answers for a while that it is in trouble.
  case busy

  static let weights: [(Theme, Int)] = [
    (.worker, 30), (.server, 16), (.pause, 12), (.twice, 6), (.cut, 12), (.disk, 6), (.shape, 6), (.touch, 7),
    (.slot, 3), (.positions, 2),
  ]

  /// Of deliveries to a receiver of messages.
  static let messages: [(Theme, Int)] = [
    (.worker, 22), (.server, 24), (.pause, 14), (.twice, 6), (.cut, 18), (.busy, 8), (.disk, 6), (.shape, 3),
    (.touch, 5),
  ]

  /// Of files as they are.
  static let documents: [(Theme, Int)] = [(.worker, 35), (.pause, 22), (.twice, 8), (.disk, 15), (.touch, 20)]
}
