import Connecting
import Kernel

extension Receipt {
  /// The first thing on which the two sides differ, in the order in which a person would ask; nil when they agree.
  package static func compare(_ provider: Receipt, _ consumer: Receipt) -> Disagreement? {
    func differ(_ subject: String, _ a: String, _ b: String, _ title: Text) -> Disagreement? {
      guard a != b else { return nil }
      return Disagreement(
        subject: subject, provider: a, consumer: b,
        message: Text(
          "\(title.chinese)不一致：提供方 \(a)，使用方 \(b)。", "The \(title.english) differs: provider \(a), consumer \(b)."))
    }
    func number(_ subject: String, _ path: KeyPath<Counts, Int>, _ title: Text) -> Disagreement? {
      differ(subject, "\(provider.counts[keyPath: path])", "\(consumer.counts[keyPath: path])", title)
    }
    if let found = differ("grant", provider.grant, consumer.grant, Text("授权", "grant"))
      ?? differ("run", provider.run, consumer.run, Text("任务", "run"))
      ?? differ("schema", provider.schemaDigest, consumer.schemaDigest, Text("结构摘要", "schema digest"))
      ?? differ(
        "range", "\(provider.firstBatch)–\(provider.lastBatch)", "\(consumer.firstBatch)–\(consumer.lastBatch)",
        Text("批次范围", "range of batches"))
      ?? number("rows", \.delivered, Text("交付行数", "number of rows"))
      ?? number("quarantined", \.quarantined, Text("隔离行数", "number of quarantined rows"))
      ?? number("stale", \.stale, Text("过期行数", "number of stale rows"))
      ?? number("bytes", \.bytes, Text("交付字节数", "number of bytes"))
    {
      return found
    }
    for (a, b) in zip(provider.columns, consumer.columns) {
      if let found = differ("column", a.name, b.name, Text("列", "column"))
        ?? differ(
          "column:\(a.name)", "\(a.nulls)", "\(b.nulls)", Text("“\(a.name)”空值数", "number of NULLs of “\(a.name)”"))
        ?? differ("column:\(a.name)", a.sum, b.sum, Text("“\(a.name)”校验和", "sum of “\(a.name)”"))
      {
        return found
      }
    }
    if let found = differ(
      "columns", "\(provider.columns.count)", "\(consumer.columns.count)", Text("列数", "number of columns"))
      ?? differ("row-sum", provider.rowSum, consumer.rowSum, Text("行校验和", "row sum"))
    {
      return found
    }
    for (a, b) in zip(provider.batches, consumer.batches) where a != b {
      return differ(
        "batch:\(a.batch)", "\(a.batch) \(a.rows) \(a.digest)", "\(b.batch) \(b.rows) \(b.digest)",
        Text("第 \(a.batch) 批摘要", "digest of batch \(a.batch)"))
    }
    return differ("batches", "\(provider.batches.count)", "\(consumer.batches.count)", Text("批次数", "number of batches"))
      ?? differ("batch-root", provider.batchRoot, consumer.batchRoot, Text("批次总摘要", "digest over the batches"))
  }
}

extension Receipt {
  /// The receipt as one canonical text, the same on every machine: what is hashed into the audit log and signed.
  package var canonicalText: String {
    var lines = [
      "sanjiang-receipt 1", "side \(side.rawValue)", "grant \(grant)", "run \(run)", "mode \(mode.rawValue)",
      "schema \(schemaDigest)", "from \(from?.description ?? "-")", "through \(through?.description ?? "-")",
      "batches \(firstBatch) \(lastBatch) \(batches.count)", "read \(counts.read)", "delivered \(counts.delivered)",
      "unchanged \(counts.unchanged)", "quarantined \(counts.quarantined)", "stale \(counts.stale)",
      "removed \(counts.removed)", "without-cursor \(counts.withoutCursor)", "bytes \(counts.bytes)",
      "row-sum \(rowSum)", "batch-root \(batchRoot)", "started \(startedAt)", "finished \(finishedAt)",
    ]
    for column in columns { lines.append("column \(column.nulls) \(column.sum) \(column.name)") }
    // Only where there is something to say: receipts of before keep their digests.
    if counts.filtered > 0 { lines.append("filtered \(counts.filtered)") }
    for rule in rules { lines.append("rule \(rule.checked) \(rule.broken) \(rule.name)") }
    return lines.joined(separator: "\n") + "\n"
  }
}
