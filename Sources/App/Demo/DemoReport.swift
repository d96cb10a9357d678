import Audit
import Demo
import Catalog
import Sharing
import Exchange
import Identity
import Kernel
import Web

/// What happened, on one screen.
enum DemoReport {
  static func print(
    _ outcome: DemoJourney.Outcome, _ cast: DemoCast, _ settings: Settings, seconds: Double, serving: Bool
  ) {
    let t = Terminal.language
    let tick = { (holds: Bool) in holds ? "✓" : "✗" }
    let full = outcome.full
    let increment = outcome.incremental
    var lines: [String] = [
      "",
      t("三江演示", "Sanjiang demo") + "  \(DemoCast.provider) → \(DemoCast.consumer)",
      "",
      t("  资源  ", "  resource     ") + outcome.resourceCode,
      t("  申请  ", "  request      ")
        + t(
          "\(outcome.requestNumber)，申请 \(outcome.asked) 项", "\(outcome.requestNumber), \(outcome.asked) items asked for"
        ),
      t("  授权  ", "  grant        ")
        + t(
          "\(outcome.grantNumber)，同意 \(outcome.approved) 项",
          "\(outcome.grantNumber), \(outcome.approved) items approved"),
      t("  全量  ", "  full         ")
        + t(
          "源 \(outcome.rows) 行 = 送达 \(full?.delivered ?? 0) + 隔离 \(full?.quarantined ?? 0)",
          "\(outcome.rows) rows = \(full?.delivered ?? 0) delivered + \(full?.quarantined ?? 0) quarantined"),
      t("  增量  ", "  incremental  ")
        + t(
          "变化 \(outcome.changes.deliverable) 行，送达 \(increment?.delivered ?? 0)；新变坏 \(outcome.changes.turnedBad) 行，目标保留旧值并标记 \(increment?.stale ?? 0)",
          "\(outcome.changes.deliverable) rows changed, \(increment?.delivered ?? 0) delivered; \(outcome.changes.turnedBad) turned bad, \(increment?.stale ?? 0) kept and flagged"
        ),
      t("  回执  ", "  receipts     ") + tick(outcome.receiptsAgree)
        + t(" 双方重新计算，一致", " recomputed by both sides, equal"),
      t("  审计  ", "  audit        ") + tick(outcome.audit?.holds == true)
        + t(
          " \(outcome.audit?.leaves ?? 0) 条记录，\(outcome.audit?.checkpoints ?? 0) 个签名检查点",
          " \(outcome.audit?.leaves ?? 0) records, \(outcome.audit?.checkpoints ?? 0) signed checkpoints"),
      t("  撤销  ", "  revocation   ") + tick(outcome.revocation != nil) + " " + (outcome.revocation.map { t($0) } ?? ""),
      t("  用时  ", "  took         ") + t("\(seconds) 秒", "\(seconds) s"),
    ]
    if serving {
      lines += [
        "", t("站点  ", "site  ") + "http://\(settings.host):\(settings.port)",
        t("账户（密码都是 \(DemoCast.password)）", "accounts (the password of all is \(DemoCast.password))"),
      ]
      lines += cast.parts.map {
        "  \($0.login)\(String(repeating: " ", count: max(1, 16 - $0.login.count)))\($0.office) · \(t($0.role.title))"
      }
      lines += ["", t("按 Ctrl-C 结束。", "Ctrl-C ends it.")]
    }
    Terminal.print(lines.joined(separator: "\n"))
  }
}

extension DemoJourney.Outcome {
  /// For scripts: what was counted, never what was expected.
  var json: [(String, JSON)] {
    [
      (
        "full",
        .object([
          ("source", JSON(rows)), ("delivered", JSON(full?.delivered ?? 0)),
          ("quarantined", JSON(full?.quarantined ?? 0)),
        ])
      ),
      (
        "incremental",
        .object([
          ("changed", JSON(changes.deliverable)), ("delivered", JSON(incremental?.delivered ?? 0)),
          ("unchanged", JSON(incremental?.unchanged ?? 0)), ("turnedBad", JSON(changes.turnedBad)),
          ("stale", JSON(incremental?.stale ?? 0)),
        ])
      ),
      ("receiptsAgree", .bool(receiptsAgree)), ("auditVerified", .bool(audit?.holds == true)),
      ("auditRecords", JSON(audit?.leaves ?? 0)), ("revocationStopped", .bool(revocation != nil)),
      ("revocationReason", revocation.map { .string($0.english) } ?? .null), ("resource", .string(resourceCode)),
      ("grant", .string(grantNumber)), ("asExpected", .bool(isRight)),
    ]
  }
}
