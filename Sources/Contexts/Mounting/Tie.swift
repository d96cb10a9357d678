package import Catalog
package import Connecting
package import Inventory
package import Kernel

package typealias TieID = ID<Tie>

/// 挂接: an entry tied to what really holds it. Whether it is mounted is what the last test found, never what somebody
/// declared (domain §3.2: tables, files, services).
package struct Tie: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case table, files, api
  }

  package enum Target: Hashable, Sendable {
    case table(SourceID, TableName, cursor: String?)
    /// Files of a source's folder whose names fit a pattern with `*` and `?`.
    case files(SourceID, pattern: String)
    /// An address that must answer a GET with this status, and with JSON where that is expected.
    case api(url: String, status: Int, isJSON: Bool)

    package var kind: Kind {
      switch self {
      case .table: .table
      case .files: .files
      case .api: .api
      }
    }

    package var source: SourceID? {
      switch self {
      case .table(let source, _, _), .files(let source, _): source
      case .api: nil
      }
    }

    /// Whom a test asks: a source, or a service's host and port as its address names them. Ties of one party are tested
    /// one after the other.
    package var party: String {
      switch self {
      case .table(let source, _, _), .files(let source, _): source.text
      case .api(let url, _, _):
        String(url.split(separator: "/", omittingEmptySubsequences: false).dropFirst(2).first ?? "").lowercased()
      }
    }
  }

  package enum State: String, Sendable, CaseIterable {
    /// Not tested yet.
    case declared
    /// The last test passed.
    case mounted
    /// The last test failed.
    case failing
  }

  /// What a test found wrong.
  package struct Fault: Hashable, Sendable {
    /// Stable: a connector's code, or `mounting.column-missing`.
    package var code: String
    package var words: Text

    package init(_ code: String, _ words: Text) {
      self.code = code
      self.words = words
    }

    /// Nobody was reached: every other tie of the same source or host would find the same.
    var isOfWholeParty: Bool { code.hasSuffix(".connect") || code == "api.name" || code == SourceProbe.silent }
  }

  package var id: TieID
  package var resource: ResourceID
  package var provider: OrganisationID
  package var providerName: String
  /// The entry's name and version when it was tied.
  package var name: String
  package var version: Int
  /// The version it belongs to is in force: only then is its failure somebody's task.
  package var isInForce: Bool
  package var cycle: String
  package var target: Target

  package var state: State
  package var since: Instant
  package var measuredAt: Instant?
  package var fault: Fault?
  /// Failed tests one after the other.
  package var failures: Int
  package var dueAt: Instant

  package var watch: ChangeWatch
  package var timeliness: Timeliness.State
  /// Until the end of this day it is up to date.
  package var timelyUntil: CalendarDate?
  /// Rows of the table, as its database estimated them when a test last passed; nil where it keeps no statistics.
  package var estimatedRows: Int?

  package init(_ resource: Resource, _ target: Target, isInForce: Bool, at now: Instant) {
    id = .make(at: now)
    self.resource = resource.id
    provider = resource.provider
    providerName = resource.providerName
    name = resource.metadata.name
    version = resource.version
    self.isInForce = isInForce
    cycle = resource.metadata.cycle
    self.target = target
    state = .declared
    since = now
    failures = 0
    dueAt = now
    watch = ChangeWatch()
    timeliness = .unknown
  }

  package init(
    id: TieID, resource: ResourceID, provider: OrganisationID, providerName: String, name: String, version: Int,
    isInForce: Bool, cycle: String, target: Target, state: State, since: Instant, measuredAt: Instant?, fault: Fault?,
    failures: Int, dueAt: Instant, watch: ChangeWatch, timeliness: Timeliness.State, timelyUntil: CalendarDate?,
    estimatedRows: Int?
  ) {
    self.id = id
    self.resource = resource
    self.provider = provider
    self.providerName = providerName
    self.name = name
    self.version = version
    self.isInForce = isInForce
    self.cycle = cycle
    self.target = target
    self.state = state
    self.since = since
    self.measuredAt = measuredAt
    self.fault = fault
    self.failures = failures
    self.dueAt = dueAt
    self.watch = watch
    self.timeliness = timeliness
    self.timelyUntil = timelyUntil
    self.estimatedRows = estimatedRows
  }

  /// Other things to be tied to: everything that was known of the old ones is gone.
  package mutating func retarget(_ other: Target, at now: Instant) {
    target = other
    state = .declared
    since = now
    measuredAt = nil
    fault = nil
    failures = 0
    dueAt = now
    watch = ChangeWatch()
    timeliness = .unknown
    timelyUntil = nil
    estimatedRows = nil
  }
}

extension Tie.State {
  package var title: Text {
    switch self {
    case .declared: Text("待检测", "To be tested")
    case .mounted: Text("已挂接", "Mounted")
    case .failing: Text("挂接失效", "Failing")
    }
  }
}

extension Tie.Kind {
  package var title: Text {
    switch self {
    case .table: Text("库表", "Table")
    case .files: Text("文件", "Files")
    case .api: Text("服务接口", "API")
    }
  }
}

/// What one test of a tie found.
package struct Measurement: Sendable {
  package var at: Instant
  /// Nil when it works.
  package var fault: Tie.Fault?
  /// Nil where the source shows nothing of changes, and when it failed.
  package var mark: ChangeMark?
  /// Nil where there are no rows, or nobody counts them.
  package var estimatedRows: Int?

  package init(at: Instant, fault: Tie.Fault? = nil, mark: ChangeMark? = nil, estimatedRows: Int? = nil) {
    self.at = at
    self.fault = fault
    self.mark = mark
    self.estimatedRows = estimatedRows
  }
}

extension Tie {
  /// A tie that works is tested again after this.
  package static let rhythm: Duration = .seconds(4 * 3600)
  /// One that fails, first after this, then after twice as long each time, up to `rhythm`.
  package static let firstRetry: Duration = .seconds(300)

  /// The tie after a test. Pure: what it says of timeliness follows from `judged`.
  package func measured(_ found: Measurement, judged: (Tie) -> Timeliness) -> Tie {
    var tie = self
    tie.measuredAt = found.at
    tie.fault = found.fault
    let state: State = found.fault == nil ? .mounted : .failing
    if state != tie.state {
      tie.state = state
      tie.since = found.at
    }
    if found.fault == nil {
      tie.failures = 0
      tie.dueAt = found.at + Self.rhythm
      tie.watch.look(found.mark, at: found.at)
      tie.estimatedRows = found.estimatedRows
    } else {
      tie.failures += 1
      let doubled = Self.firstRetry * (1 << min(tie.failures - 1, 10))
      tie.dueAt = found.at + min(doubled, Self.rhythm)
    }
    let judgement = judged(tie)
    tie.timeliness = judgement.state
    tie.timelyUntil = judgement.until
    return tie
  }
}
