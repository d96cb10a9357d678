/// Exactly what is to be read. A column that is not listed never leaves the database: it stands in no statement.
package struct ReadPlan: Hashable, Sendable {
  package struct Column: Hashable, Sendable {
    package var name: String
    /// As agreed. Where the database's own type differs, the reader converts if no value can be lost, marks a value
    /// that cannot be converted as malformed, and refuses the plan when no value could be.
    package var type: ValueType

    package init(_ name: String, _ type: ValueType) {
      self.name = name
      self.type = type
    }
  }

  package enum Range: Hashable, Sendable {
    /// Every row, from `after` (a reader's `position`) on.
    case full(after: [UInt8]?)
    /// Rows whose cursor is greater than `above`, and rows whose cursor is NULL: nothing tells when those changed, so
    /// they are always read again.
    case incremental(above: CursorValue)
  }

  /// What a peek needs of a long text, in characters.
  package static let peekedText = 200

  package var table: TableName
  /// A row's fields come in this order.
  package var columns: [Column]
  /// Indices into `columns`: what tells rows apart. At least one.
  package var key: [Int]
  /// Index into `columns` of what grows when a row changes; nil when only full reads are wanted.
  package var cursor: Int?
  package var range: Range
  /// Of a full read: where it ends, the row at this position being the last one; rows without a key are then not read.
  /// One of the positions that the connector's own `cut` gave; nil to read to the end.
  package var through: [UInt8]?
  /// The name of the view to read in (`Connector.openView`); nil for the source as it is when the reader is opened. A reader
  /// throws `viewLost` when it is no more.
  package var view: String?

  package init(
    table: TableName, columns: [Column], key: [Int], cursor: Int? = nil, range: Range = .full(after: nil),
    through: [UInt8]? = nil, view: String? = nil
  ) {
    self.table = table
    self.columns = columns
    self.key = key
    self.cursor = cursor
    self.range = range
    self.through = through
    self.view = view
  }

  /// For a reader that knows no end but the table's: to go past it unnoticed would deliver rows twice.
  package func requireNoEnd() throws(ConnectorError) {
    guard through == nil else {
      throw .contract("no-cuts", "该连接不能按主键分段读取。", "This connector cannot read a table in parts.")
    }
    try requireNoView()
  }

  /// For a reader that knows no views: the source as it is now is something else.
  package func requireNoView() throws(ConnectorError) {
    guard view == nil else {
      throw .contract("no-views", "该连接不能按一致视图读取。", "This connector cannot read a source as of an agreed moment.")
    }
  }
}

/// A place on the source's own time line.
package enum CursorValue: Hashable, Sendable {
  /// Microseconds since 2000-01-01T00:00:00Z.
  case timestamp(Int64)
  /// A version or serial number.
  case integer(Int64)
}

extension CursorValue: CustomStringConvertible {
  /// `t:12345` or `i:12345`; `init(_:)` reads it back.
  package var description: String {
    switch self {
    case .timestamp(let value): "t:\(value)"
    case .integer(let value): "i:\(value)"
    }
  }

  package init?(_ text: some StringProtocol) {
    guard let value = Int64(text.dropFirst(2)) else { return nil }
    if text.hasPrefix("t:") {
      self = .timestamp(value)
    } else if text.hasPrefix("i:") {
      self = .integer(value)
    } else {
      return nil
    }
  }
}

/// Rows of one plan, read in one snapshot of the source. Used by one thread, the one that opened it.
package protocol RowReader: AnyObject {
  /// How far the source had come in this snapshot: its highest cursor value, and for times never past its own clock.
  /// The next incremental run starts from here, less the overlap. Nil when the plan has no cursor.
  var horizon: CursorValue? { get }
  /// Rows come in the order of the key, so that the same key twice comes one after the other.
  var isKeyOrdered: Bool { get }
  /// Text was checked by the database: looking at it again would only cost.
  var checksText: Bool { get }
  /// Where a full read goes on after the last row that `read` gave; opaque to others, at most 64 KiB.
  var position: [UInt8] { get }
  /// Empties the batch, then fills it until it is full or the rows end. A batch never mixes rows with and without a key.
  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome
  /// Ends what `read` blocks in: see `Interruption`. Safe from any thread, late, and twice.
  var interrupter: @Sendable () -> Void { get }
  /// Safe to call twice, and to call early.
  func close()
}

extension RowReader {
  package var interrupter: @Sendable () -> Void { {} }
}

package enum ReadOutcome: Hashable, Sendable {
  case rows
  /// These rows have a NULL in their key: they cannot be told apart, so `position` cannot pass them. They come last.
  case rowsWithoutKey
  case end
}
