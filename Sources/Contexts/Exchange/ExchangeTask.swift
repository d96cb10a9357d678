package import Inventory
package import Jobs
package import Kernel
package import Reshaping
package import Sharing

/// How a grant is carried out (交换任务): one for each grant. What is given to whom stands in the grant and cannot be changed
/// here.
package struct ExchangeTask: Hashable, Sendable {
  /// What starts a delivery, besides a person.
  package enum Start: Hashable, Sendable {
    /// As often as the grant says.
    case frequency
    case cron(CronExpression)
    /// When every task of `after` has delivered since this one was last started.
    case afterOthers
    /// Only a person.
    case manual

    /// `frequency`, `cron 30 2 * * *`, `after`, `manual`; `init(encoded:)` reads it back.
    var encoded: String {
      switch self {
      case .frequency: "frequency"
      case .cron(let expression): "cron \(expression.text)"
      case .afterOthers: "after"
      case .manual: "manual"
      }
    }

    init?(encoded text: String) {
      switch text {
      case "frequency": self = .frequency
      case "after": self = .afterOthers
      case "manual": self = .manual
      default:
        guard text.hasPrefix("cron "), let expression = try? CronExpression(parsing: String(text.dropFirst(5))) else {
          return nil
        }
        self = .cron(expression)
      }
    }
  }

  /// What happens when the source is not what was agreed any more (结构漂移).
  package enum Drift: String, Sendable, CaseIterable {
    /// The task stands still until a person has looked and resumes it; the provider gets a task in its inbox.
    case freeze
    /// The provider is told as well, and each turn tries again: it goes on by itself once the source has its shape back.
    case retry

    package var title: Text {
      switch self {
      case .freeze: Text("冻结，等人处理后恢复", "Freeze until a person resumes")
      case .retry: Text("每次到时再试，恢复原结构后自动继续", "Try again each turn; goes on once the shape is back")
      }
    }
  }

  /// Why nothing moves, since when, on whose word.
  package struct Pause: Hashable, Sendable {
    package var at: Instant
    package var by: String
    package var why: Text
    /// By the platform itself, because the source is not what was agreed.
    package var isFrozen: Bool
  }

  package enum Priority: Int, Sendable, CaseIterable {
    case low = -1
    case normal = 0
    case high = 1

    package var title: Text {
      switch self {
      case .low: Text("低", "Low")
      case .normal: Text("普通", "Normal")
      case .high: Text("高", "High")
      }
    }
  }

  package var grant: GrantID
  package var start = Start.frequency
  /// Turns on other days are left out.
  package var onWorkingDays = false
  /// Nothing moves outside it.
  package var window: DayWindow?
  package var priority = Priority.normal
  /// The grants whose deliveries this one waits for.
  package var after: [GrantID] = []
  /// When too many rows are bad for going on.
  package var stopWhen: StopRule?
  package var drift = Drift.freeze
  /// Minutes without any sign of life after which a delivery is ended and tried again.
  package var stallMinutes = 15
  /// In so many parts a first full delivery is carried out at the same time; 1 for as a whole.
  package var parts = 1
  /// How often both sides are compared, besides when a person asks.
  package var comparing = ComparisonRhythm.monthly
  package var rules: [TaskRule] = []
  /// What the target gets beside the granted items.
  package var columns: [TaskColumn] = []
  package var dictionaries: [TaskDictionary] = []
  package var pause: Pause?
  /// 0: never changed, all is as usual.
  package var version = 0

  package init(grant: GrantID) { self.grant = grant }
}

/// A stretch of every day in China's time, such as 22:00 to 06:00: from included, to not.
package struct DayWindow: Hashable, Sendable {
  /// Minutes after midnight, 0 to 1439.
  package let from: Int
  package let to: Int

  /// Nil for an empty stretch.
  package init?(from: Int, to: Int) {
    guard (0..<1440).contains(from), (0..<1440).contains(to), from != to else { return nil }
    self.from = from
    self.to = to
  }

  /// The moment itself when it lies inside, else the next time the window opens.
  package func next(from moment: Instant) -> Instant {
    let midnight = moment.dateInChina.startInChina
    let minute = (moment - midnight).inMilliseconds / 60_000
    let isInside = from < to ? minute >= from && minute < to : minute >= from || minute < to
    if isInside { return moment }
    let opens = midnight + .seconds(from * 60)
    return opens > moment ? opens : opens + .seconds(86_400)
  }

  package func contains(_ moment: Instant) -> Bool { next(from: moment) == moment }

  package var text: String { "\(Self.time(from))–\(Self.time(to))" }

  /// `22:00`.
  package static func time(_ minute: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(minute / 60)):\(two(minute % 60))"
  }

  package static func minute(_ text: String) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.utf8.count) }), let hour = Int(parts[0]),
      let minute = Int(parts[1]), (0..<24).contains(hour), (0..<60).contains(minute)
    else { return nil }
    return hour * 60 + minute
  }
}

/// How much of a source all deliveries together may take, on whatever machines they run (按数据源限流).
package struct SourceLimit: Hashable, Sendable {
  package var source: SourceID
  /// Deliveries at the same time.
  package var deliveries: Int?
  package var rowsPerSecond: Int?
  package var bytesPerSecond: Int?
  package var version = 0

  package init(source: SourceID) { self.source = source }

  /// The stricter of two, for a delivery that has one at either end.
  func stricter(than other: SourceLimit) -> (rows: Int?, bytes: Int?) {
    func least(_ a: Int?, _ b: Int?) -> Int? { [a, b].compactMap { $0 }.min() }
    return (least(rowsPerSecond, other.rowsPerSecond), least(bytesPerSecond, other.bytesPerSecond))
  }
}
