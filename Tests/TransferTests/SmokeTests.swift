import Connecting
import Kernel
import Testing

@testable import ConnectorPostgreSQL
@testable import Transfer

@Suite struct SmokeTests {
  @Test func `a table reaches another database`() async throws {
    let (source, target) = (try PostgresCluster.shared.database(), try PostgresCluster.shared.database())
    try PostgreSQLConnection(source).run(
      """
      CREATE TABLE public.person (id int PRIMARY KEY, name varchar(20), capital numeric(18,2), born date, changed timestamptz, note text);
      INSERT INTO public.person SELECT i, '张三' || i, i * 1.5, date '1890-01-01' + i, now(), NULL FROM generate_series(1, 20000) i
      """)
    let plan = DeliveryPlan(
      grant: "g1", run: "r1", fence: 1, mode: .full, source: TableName(schema: "public", "person"),
      target: TableName(schema: "public", "copy"),
      items: [
        ItemContract("id", .integer), ItemContract("name", .text, length: 20, mask: .keepHeadTail(1, 0)),
        ItemContract("capital", .decimal(precision: 18, scale: 2)), ItemContract("born", .date),
      ], key: ["id"], cursor: .init("changed", .timestamp), secret: Array("0123456789abcdef".utf8),
      providerKey: Array("0123456789abcdef".utf8), batchBytes: RowBatch.smallest)
    let outcome = try await Delivery(plan, control: DeliveryControl(quarantine: { _ in }))
      .run(from: PostgreSQLConnector(source), to: PostgreSQLConnector(target))
    #expect(outcome.disagreement == nil)
    #expect(outcome.provider.counts.delivered == 20000)
  }
}
