import Connecting
import Kernel
import Reshaping

/// Rows without a key: counted with the run's last commit.
struct UnkeyedRows {
  var read = 0
  var bad = 0
  var filtered = 0
  var rules: [RuleMachine.Count] = []
}

/// What rules counted, and when a run goes on no more.
extension CompiledPlan {
  func count(_ rules: [RuleMachine.Count], in named: inout [String: RuleMachine.Count]) {
    for (placed, count) in zip(reshaping?.rules ?? [], rules) {
      named[placed.rule.name, default: RuleMachine.Count()] += count
    }
  }

  /// Throws when more is bad than the grant puts up with: before the commit, so that nothing of this batch is written. Its
  /// bad rows were handed over already.
  func stopIfTooBad(
    _ counts: Receipt.Counts, _ rules: [String: RuleMachine.Count], _ unkeyed: UnkeyedRows = UnkeyedRows(),
    isEnd: Bool = false
  ) throws(ConnectorError) {
    let (bad, rows) = (counts.quarantined + unkeyed.bad, counts.read + unkeyed.read)
    if let stop = plan.onTheWay.stopWhen, stop.isReached(bad, of: rows, isEnd: isEnd) {
      throw ConnectorError(
        .data, "data.too-many-bad",
        Text(
          "已读 \(rows) 行，其中 \(bad) 行有问题，\(stop.sentence.chinese)，按约定停止；本批未写入。",
          "Of \(rows) rows read \(bad) are bad, \(stop.sentence.english): stopped as agreed. Nothing of this batch was written."
        ))
    }
    for (index, placed) in (reshaping?.rules ?? []).enumerated() {
      guard let stop = placed.rule.stopWhen else { continue }
      var count = rules[placed.rule.name] ?? RuleMachine.Count()
      if index < unkeyed.rules.count { count += unkeyed.rules[index] }
      guard stop.isReached(count.broken, of: count.checked, isEnd: isEnd) else { continue }
      let name = placed.rule.name
      throw ConnectorError(
        .data, "data.rule-stop",
        Text(
          "规则“\(name)”检查了 \(count.checked) 个值，其中 \(count.broken) 个不合格，\(stop.sentence.chinese)，按约定停止；本批未写入。",
          "The rule “\(name)” was broken by \(count.broken) of \(count.checked) values, \(stop.sentence.english): stopped as agreed. Nothing of this batch was written."
        ))
    }
  }

  func ruleCounts(_ rules: [String: RuleMachine.Count]) -> [Receipt.RuleCount] {
    (reshaping?.rules ?? []).map { placed in
      let count = rules[placed.rule.name] ?? RuleMachine.Count()
      return Receipt.RuleCount(name: placed.rule.name, checked: count.checked, broken: count.broken)
    }
  }
}
