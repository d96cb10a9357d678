package import Kernel

/// A door to one database (or folder of files) of a department.
///
/// Everything here blocks and is called on a thread of the caller's own (`BlockingThread`), never on the cooperative
/// pool. A reader or writer stays on the thread that opened it.
package protocol Connector: Sendable {
  var guarantee: ConnectorGuarantee { get }
  /// Connects and says what answered; throws what is wrong otherwise.
  func probe() throws(ConnectorError) -> ConnectorProbe
  func tables() throws(ConnectorError) -> [TableSummary]
  func describe(_ table: TableName) throws(ConnectorError) -> TableDescription
  /// Every table that `tables` lists, described: with 2,000 of them in a few statements, not in thousands.
  func survey() throws(ConnectorError) -> [TableDescription]
  /// At most so many rows of a table in whatever order costs least, for looking at and never for delivering: values as
  /// text, cut to `ReadPlan.peekedText` characters. What takes longer than `limit` is given up with an error.
  func peek(
    _ table: TableName, _ columns: [ReadPlan.Column], rows: Int, within limit: Duration
  ) throws(ConnectorError) -> [[String?]]
  /// Looks at a table once: describes it, reads one row of those of these columns that are there, and asks what shows
  /// whether it changed. Throws when the table is gone, may not be read, or nobody answers.
  func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination
  /// False where the types of `describe` are only what the values look like today.
  var declaresTypes: Bool { get }
  func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader
  /// Cuts the table into `count` parts of about equal length: at most `count - 1` positions in the order of the key, each
  /// for a reader to begin behind (`ReadPlan.Range.full`) and for another to end at (`ReadPlan.through`). As the database
  /// compares keys, every row then belongs to one part, also a row that is inserted later. Fewer where there are not that
  /// many rows, none where the table cannot be cut. Cheap beside reading the table.
  func cut(_ plan: ReadPlan, into count: Int) throws(ConnectorError) -> [[UInt8]]
  /// The source as it is now, for `ReadPlan.view`; nil where there is no such thing.
  func openView() throws(ConnectorError) -> (any SourceView)?
  /// Throws a contract error where the connector cannot write (an API, a workbook).
  func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter
  /// Nil where a batch cannot be found again before the whole table is indexed.
  func openBatchReader(_ plan: WritePlan) throws(ConnectorError) -> (any BatchReader)?
  /// Goes on after `position`, or begins now and makes the source keep its log from now on. Throws `.changesLost` when
  /// the source does not have it any more, and a contract error where it cannot be followed at all.
  func openChanges(_ plan: ChangePlan, after position: [UInt8]?) throws(ConnectorError) -> any ChangeReader
  /// Nil when the source keeps nothing for this stream.
  func changeBacklog(_ stream: String) throws(ConnectorError) -> ChangeBacklog?
  /// The source need keep nothing for this stream any more. Safe when it does not.
  func endChanges(_ stream: String) throws(ConnectorError)
}

extension Connector {
  package func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter {
    throw .contract("read-only", "该连接只读，不能作为接收方。", "This connector only reads; it cannot receive.")
  }

  package func cut(_ plan: ReadPlan, into count: Int) throws(ConnectorError) -> [[UInt8]] { [] }

  package func openView() throws(ConnectorError) -> (any SourceView)? { nil }

  package func openBatchReader(_ plan: WritePlan) throws(ConnectorError) -> (any BatchReader)? { nil }

  package func openChanges(_ plan: ChangePlan, after position: [UInt8]?) throws(ConnectorError) -> any ChangeReader {
    throw .contract("no-changes", "该连接不能跟踪变更。", "This connector cannot follow changes.")
  }

  package func changeBacklog(_ stream: String) throws(ConnectorError) -> ChangeBacklog? { nil }

  package func endChanges(_ stream: String) throws(ConnectorError) {}
}

/// What answered a probe.
package struct ConnectorProbe: Hashable, Sendable {
  /// `PostgreSQL 15.20`.
  package var product: String
  /// Encrypted on the way; always true for a local file or socket.
  package var isProtected: Bool
  /// The account cannot write, which is what a provider's account should be.
  package var isReadOnly: Bool

  package init(product: String, isProtected: Bool, isReadOnly: Bool) {
    self.product = product
    self.isProtected = isProtected
    self.isReadOnly = isReadOnly
  }
}

/// What a connector promises and what it does not, as data: the pages, the docs and a grant's terms show it.
package struct ConnectorGuarantee: Hashable, Sendable {
  /// The promise in one sentence.
  package var promise: Text
  /// How long after its cursor's time a row may become visible and still be delivered: an incremental run reads again
  /// what lies this far before the last one's upper bound.
  package var overlap: Duration
  package var limits: [Text]
  package var readsIncrementally: Bool
  package var followsChanges: Bool
  package var writes: Bool
  /// The target knows what it holds under a key: it writes only what differs, flags and removes. Where it does not
  /// (files, messages), every row of a run is written.
  package var merges: Bool
  /// What is committed counts at once, each row under its key. Where it does not (files of rows), a run shows as a whole when it is
  /// complete, and nothing of it before.
  package var countsAtOnce: Bool
  /// The target is a folder of files.
  package var isFolder: Bool
  /// Its tables can be read at any time: to deliver from them, and to compare them with what was delivered into them.
  package var reads: Bool
  /// Bytes that a key may have as a target's; nil for no limit.
  package var longestKey: Int?
  /// Bytes that a batch should have at most, where it travels as one piece; nil for no limit. Only a single row may exceed
  /// it.
  package var largestBatch: Int?

  /// Of every reader of rows.
  package static let longestRow = Text(
    "一行最多 32 MiB；更长的行作为坏行隔离，其余照常送达。",
    "A row has at most 32 MiB; a longer one is set apart as a bad row, and the others are delivered.")

  package init(
    promise: Text, overlap: Duration, limits: [Text], readsIncrementally: Bool, writes: Bool,
    followsChanges: Bool = false, merges: Bool = true, countsAtOnce: Bool? = nil, isFolder: Bool = false,
    reads: Bool = true, longestKey: Int? = nil, largestBatch: Int? = nil
  ) {
    self.merges = merges
    self.countsAtOnce = countsAtOnce ?? (writes && merges)
    self.isFolder = isFolder
    self.reads = reads
    self.longestKey = longestKey
    self.largestBatch = largestBatch
    self.followsChanges = followsChanges
    self.promise = promise
    self.overlap = overlap
    self.limits = limits
    self.readsIncrementally = readsIncrementally
    self.writes = writes
  }

  /// Changes can be followed into it.
  package var receivesChanges: Bool { writes && countsAtOnce && !isFolder }
  /// Rows that are gone can stay there with a mark.
  package var keepsMarks: Bool { writes && merges && !isFolder }
}

/// A sort of connector: what a person must fill in, and how to open one. `App` gathers them in a `ConnectorCatalog`.
package struct ConnectorKind: Sendable {
  package struct Setting: Hashable, Sendable {
    package var name: String
    package var title: Text
    package var isSecret: Bool
    package var isRequired: Bool
    package var example: String
    /// What may be chosen, where it is not written freely.
    package var choices: [Choice] = []
    /// Several lines: a certificate, a key, headers.
    package var isLong = false
    /// The part of the form it belongs to, which not everybody needs; all of it may stay empty.
    package var part: Text?

    package struct Choice: Hashable, Sendable {
      package var value: String
      package var title: Text
    }

    package init(_ name: String, _ title: Text, secret: Bool = false, required: Bool = true, example: String = "") {
      self.name = name
      self.title = title
      isSecret = secret
      isRequired = required
      self.example = example
    }

    /// The same, chosen from a list.
    package func choosing(_ choices: [(value: String, title: Text)]) -> Setting {
      var setting = self
      setting.choices = choices.map { Choice(value: $0.value, title: $0.title) }
      return setting
    }

    /// The same in several lines.
    package var long: Setting {
      var setting = self
      setting.isLong = true
      return setting
    }

    /// These as a part of the form that may stay folded.
    package static func part(_ title: Text, _ settings: [Setting]) -> [Setting] {
      settings.map { setting in
        precondition(!setting.isRequired, "what must be filled in is never folded away")
        var setting = setting
        setting.part = title
        return setting
      }
    }
  }

  /// `postgresql`, `mariadb`, `sqlite`, `csv`.
  package var name: String
  package var title: Text
  package var settings: [Setting]
  package var guarantee: ConnectorGuarantee
  /// What is wrong with settings by this kind's own grammar, found without connecting.
  package var check: @Sendable (_ settings: [String: String]) -> [(setting: String, message: Text)]
  /// Why a table or column of this name cannot be made there; nil when it can.
  package var nameFault: @Sendable (_ name: String) -> Text?
  package var open: @Sendable (_ settings: [String: String]) throws(ConnectorError) -> any Connector
  /// How databases are made on a server of this kind; nil where the platform makes none.
  package var hosting: DatabaseHosting?

  package init(
    name: String, title: Text, settings: [Setting], guarantee: ConnectorGuarantee, hosting: DatabaseHosting? = nil,
    check: @escaping @Sendable (_ settings: [String: String]) -> [(setting: String, message: Text)] = { _ in [] },
    nameFault: @escaping @Sendable (_ name: String) -> Text? = { _ in nil },
    open: @escaping @Sendable (_ settings: [String: String]) throws(ConnectorError) -> any Connector
  ) {
    self.name = name
    self.title = title
    self.settings = settings
    self.guarantee = guarantee
    self.check = check
    self.nameFault = { name in
      if WritePlan.isReserved(name) {
        return Text("“\(name)”以 sj_ 开头，是平台保留的名称。", "“\(name)” begins with sj_, which the platform keeps for itself.")
      }
      return nameFault(name)
    }
    self.open = open
    self.hosting = hosting
  }
}

/// Every sort of connector this node has.
package struct ConnectorCatalog: Sendable {
  package let kinds: [ConnectorKind]

  package init(_ kinds: [ConnectorKind]) { self.kinds = kinds }

  package func kind(_ name: String) -> ConnectorKind? { kinds.first { $0.name == name } }

  package func open(_ kind: String, _ settings: [String: String]) throws(ConnectorError) -> any Connector {
    guard let found = self.kind(kind) else {
      throw ConnectorError(
        .permanent, "connector.unknown-kind", Text("没有名为“\(kind)”的连接器。", "There is no connector named “\(kind)”."))
    }
    for setting in found.settings where setting.isRequired && (settings[setting.name] ?? "").isEmpty {
      throw ConnectorError(
        .permanent, "connector.setting-missing",
        Text("缺少设置：\(setting.title.chinese)。", "A setting is missing: \(setting.title.english)."))
    }
    return try found.open(settings)
  }
}
