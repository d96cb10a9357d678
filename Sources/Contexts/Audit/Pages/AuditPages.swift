import Kernel
import NationalCrypto
import Web

enum AuditPages {
  static let section: (label: Text, href: String) = (Text("审计日志", "The log"), "/audit")

  static func search(
    _ request: Request, _ words: AuditWords, _ records: [AuditRecord], names: [String: String], entered: Fields,
    health: AuditHealth,
    next: AuditRecordID?,
    refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    let faults = refusal?.faults ?? []
    let fields = ["actor", "action", "kind", "subject", "grant", "from", "to"]
    let kept = entered.pairs.filter { fields.contains($0.name) && !$0.value.isEmpty }
    return Page(
      section.label, section: .evidence, status: refusal?.status ?? 200,
      body: """
        <div class="head"><h1>\(t(section.label))</h1><a class="button" href="/audit/checkpoints">\(t("签名检查点", "Signed checkpoints"))</a></div>
        <p>\(health.isAlarming(at: request.now) ? badge(t("有记录超过一分钟没有入树", "A record has waited for its leaf for over a minute"), .late) : badge(t("日志正常", "The log is well"), .good)) \
        \(t("\(health.leaves) 条已入树，\(health.waiting) 条待排", "\(health.leaves) records in the tree, \(health.waiting) waiting"))</p>
        \(faultSummary(t, refusal))
        <form class="search grid" method="get" action="/audit">\
        \(field(t, Field("actor", Text("办理人（姓名或登录名）", "Who (name or sign-in name)"), .text(maxLength: 60), required: false), value: entered, faults: faults))\
        \(field(t, Field("action", Text("动作", "Action"), .choice(actions(words, entered, t)), required: false), value: entered, faults: faults))\
        \(field(t, Field("grant", Text("授权编号", "Grant's number"), .text(maxLength: 60), required: false), value: entered, faults: faults))\
        \(field(t, Field("subject", Text("对象内部编号", "Subject's id"), .text(maxLength: 60), required: false), value: entered, faults: faults))\
        \(field(t, Field("from", Text("自", "From"), .date, required: false), value: entered, faults: faults))\
        \(field(t, Field("to", Text("至（含）", "To, included"), .date, required: false), value: entered, faults: faults))\
        <button class="primary">\(t("查询", "Search"))</button></form>
        \(table(
          caption: t("记录，最新的在前", "Records, newest first"),
          columns: [
            Column(t("时间", "When")), Column(t("办理人", "Who")), Column(t("动作", "Action")), Column(t("对象", "Subject")),
            Column(t("序号", "Leaf"), numeric: true),
          ],
          rows: records.map { record in
            """
            <tr><td><a href="/audit/records/\(record.id)">\(time(record.at))</a></td>\
            <td>\(record.payload.map { "\($0.organisationName) \(who($0, names, t))" } ?? t("（内容已依法删除）", "(erased by law)"))</td>\
            <td title="\(record.action)">\(words.action(record.action).map { t($0) } ?? record.action)</td>\
            <td>\(t(words.subject(record.subjectKind))) \(record.payload.map { "\($0.subjectName)" } ?? shortened(record.subject))</td>\
            <td class="number">\(record.leaf.map { "\($0)" } ?? "…")</td></tr>
            """
          }.joined(), empty: "<p>\(t("没有符合条件的记录。", "No record matches."))</p>"))
        \(next.map { "<p class=\"pager\"><a rel=\"next\" href=\"\(address("/audit", [("before", $0.text)] + kept.map { ($0.name, $0.value) }))\">\(t("更早的", "Earlier"))</a></p>" as HTML })
        """)
  }

  /// `韩数据（代王处长）`: who acted, and in whose name.
  private static func who(_ payload: AuditPayload, _ names: [String: String], _ t: Language) -> String {
    actor(
      t, payload.actorName, inNameOf: payload.onBehalfOf.map { names[$0] ?? t("他人", "somebody else") })
  }

  /// Every action by its name, under its area; the code stays the value, so that an address keeps its meaning.
  private static func actions(_ words: AuditWords, _ entered: Fields, _ t: Language) -> [(String, String)] {
    var choices = [("", t("全部", "All"))]
    for vocabulary in words.vocabularies {
      choices.append(
        (
          vocabulary.area.code + ".",
          t("\(vocabulary.area.title.chinese)（全部）", "\(vocabulary.area.title.english) (all)")
        ))
      choices += vocabulary.actions.map { ($0.code, "　" + t($0.title)) }
    }
    if let given = entered["action"], !choices.contains(where: { $0.0 == given }) { choices.append((given, given)) }
    return choices
  }

  static func record(
    _ request: Request, _ words: AuditWords, _ record: AuditRecord, names: [String: String], grant number: String?,
    _ proof: AuditProof?
  ) -> Page {
    let t = request.language
    let action = words.action(record.action) ?? Text(same: record.action)
    var pairs: [(String, HTML)] = [
      (t("时间", "When"), "\(time(record.at)) <span class=\"muted\">\(record.at.description)</span>"),
      (t("办理人", "Who"), "\(record.payload.map { who($0, names, t) } ?? "—")"),
      (t("单位", "Organisation"), "\(record.payload?.organisationName ?? "—")"),
      (t("动作", "Action"), "\(t(action))"),
      (t("对象", "Subject"), "\(t(words.subject(record.subjectKind))) · \(record.payload?.subjectName ?? "—")"),
    ]
    if let grant = record.grant {
      let opens = request.principal?.may(Permission("sharing.read")) ?? false
      let name = number ?? grant
      pairs.append((t("授权", "Grant"), opens ? link(name, "/grants/\(grant)") : "\(name)"))
    }
    for line in record.payload?.detail ?? [] {
      let value: HTML =
        words.value(line, of: record.action).map { "\(t($0))" } ?? names[line.value].map { "\($0)" }
        ?? (line.value.contains { !$0.isHexDigit && $0 != "-" } ? "\(line.value)" : shortened(line.value))
      pairs.append((t(words.detail(line.name, of: record.action)), value))
    }
    pairs.append((t("摘要（SM3）", "Digest (SM3)"), shortened(record.digest.hex)))
    let codes = [
      (t("动作代码", "Action"), record.action), (t("对象编号", "Subject"), record.subject),
      (t("授权编号", "Grant"), record.grant ?? ""), (t("记录编号", "Record"), record.id.text),
    ].filter { !$0.1.isEmpty }.map { ($0.0, "<code>\($0.1)</code>" as HTML) }
    return Page(
      Text("记录：\(action.chinese)", "Record: \(action.english)"), section: .evidence, trail: [section],
      body:
        "<h1>\(t("记录", "Record"))\(t.colon)\(t(action))</h1>\(facts(pairs))\(details(t("内部编号和代码", "Internal ids and codes"), facts(codes)))<h2>\(t("包含证明", "Proof of inclusion"))</h2>\(proofPart(record, proof, t))"
    )
  }

  private static func proofPart(_ record: AuditRecord, _ proof: AuditProof?, _ t: Language) -> HTML {
    guard let proof else { return "<p>\(t("一秒之内就会入树，请稍后刷新。", "It gets its leaf within a second; reload."))</p>" }
    return """
      <p>\(proof.holds ? badge(t("证明成立", "The proof holds"), .good) : badge(t("证明不成立", "The proof does not hold"), .late)) \
      \(t("第 \(proof.index) 片叶，树有 \(proof.size) 片叶。", "Leaf \(proof.index) of a tree of \(proof.size)."))</p>
      <ol class="proof" start="0"><li><code>\(MerkleTree.leafHash(proof.digest).hex)</code> \(t("叶", "leaf"))</li>\
      \(proof.path, { "<li><code>\($0.hex)</code></li>" })<li><code>\(proof.root.hex)</code> \(t("根", "root"))</li></ol>
      <p><a class="button" href="/audit/records/\(record.id)/proof.json">\(t("下载证明（JSON）", "Download the proof (JSON)"))</a> \
      \(t("可用 scripts/verify_proof.py 离线验证。", "scripts/verify_proof.py checks it offline."))</p>
      """
  }

  static func checkpoints(_ request: Request, _ kept: [(KeptCheckpoint, Bool)], key: SM2.PublicKey, next: Int?) -> Page
  {
    let t = request.language
    return Page(
      Text("签名检查点", "Signed checkpoints"), section: .evidence, trail: [section],
      body: """
        <h1>\(t("签名检查点", "Signed checkpoints"))</h1><p>\(t("公钥（SM2）", "Public key (SM2)"))\(t.colon)<code class="wrap">\(key.bytes.hex)</code></p>
        \(table(
          caption: t("检查点", "Checkpoints"), head: [t("时间", "When"), t("记录数", "Records"), t("根", "Root"), t("签名", "Signature"), t("原文", "Note")],
          rows: kept.map { checkpoint, isSigned in
            """
            <tr><td>\(time(checkpoint.at))</td><td class="number">\(grouped(checkpoint.size))</td><td>\(shortened(checkpoint.root.hex))</td>\
            <td>\(isSigned ? badge(t("有效", "Valid"), .good) : badge(t("无效", "Not valid"), .late))</td>\
            <td><details><summary>\(t("展开", "Show"))</summary><pre>\(checkpoint.note)</pre></details></td></tr>
            """
          }.joined(), empty: "<p>\(t("还没有检查点。", "No checkpoint yet."))</p>"))
        \(next.map { "<p class=\"pager\"><a rel=\"next\" href=\"/audit/checkpoints?before=\($0)\">\(t("更早的", "Earlier"))</a></p>" as HTML })
        """)
  }
}
