internal import Identity
internal import Kernel
internal import Storage

/// Which office of today an entry's provider is: by credit code, else by the name it bore, through what became of it.
struct MoveOffices: Sendable {
  struct Answer: Sendable {
    /// The first is the one that is named, the last the one of today; nil with the reason why there is none.
    var found: OfficeToday?
    var reason: Text?
    /// What was wrong on the way, though an office was found.
    var warning: Text?
  }

  let providers: Providers
  let today: CalendarDate
  private var known: [MoveExport.Office: Answer] = [:]

  init(_ providers: Providers, on today: CalendarDate) {
    self.providers = providers
    self.today = today
  }

  mutating func find(_ office: MoveExport.Office, in tx: any Transaction) throws -> Answer {
    if let answer = known[office] { return answer }
    let answer = try look(office, in: tx)
    known[office] = answer
    return answer
  }

  private func look(_ given: MoveExport.Office, in tx: any Transaction) throws -> Answer {
    guard !given.name.isEmpty || !given.creditCode.isEmpty else {
      return Answer(reason: Text("没有写提供方。", "It names no provider."))
    }
    var warning: Text?
    var named: Organisation?
    if (try? CreditCode(given.creditCode)) != nil {
      named = try providers.coded(given.creditCode, tx)
    } else if !given.creditCode.isEmpty {
      warning = Text(
        "提供方代码 \(given.creditCode) 校验不通过，按名称认定。", "The code \(given.creditCode) fails its check; the name decided.")
    }
    if let coded = named, !given.name.isEmpty, coded.name != given.name {
      warning = Text("代码属于“\(coded.name)”，名称不同；以代码为准。", "The code is that of “\(coded.name)”; the code decided.")
    }
    if named == nil { named = try providers.named(given.name, tx).first }
    guard let named else {
      return Answer(
        reason: Text(
          "单位名录中没有“\(given.name)”，历史名称中也没有。请先登记单位或其沿革。",
          "No office is or was called “\(given.name)”. Register it, or what became of it, first."))
    }
    let now = try providers.today(of: named, on: today, in: tx)
    guard let only = now.first, now.count == 1 else {
      let names = now.map(\.office.name).joined(separator: "、")
      return Answer(
        reason: now.isEmpty
          ? Text("“\(named.name)”已撤销，没有承接单位。", "“\(named.name)” has ended, and none took over from it.")
          : Text(
            "“\(named.name)”的职能分给了\(names)，须在导出中写明由谁承接。",
            "“\(named.name)” was divided into \(names); say in the export which has it."))
    }
    return Answer(found: only, warning: warning)
  }
}
