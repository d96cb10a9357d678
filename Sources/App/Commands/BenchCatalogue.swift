import ArgumentParser
import Audit
import Catalog
import Connecting
import Foundation
import Inventory
import Kernel
import Storage

/// A node whose catalogue is as full as a province's, written by the same use cases that people use; then the demo's cast
/// can sign in and pages can be timed.
struct BenchCatalogue: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "catalogue", shouldDisplay: false)

  @OptionGroup var options: NodeOptions
  @Option(help: "How many published resources.") var resources = 20_000

  private static let subjects = [
    "企业法人", "社会救助", "不动产", "机动车", "医疗机构", "学籍", "婚姻", "残疾人", "律师执业", "道路运输", "农药经营", "草原承包", "地质灾害", "工伤认定", "失业保险",
    "住房公积金", "食品生产", "特种设备", "水资源", "扶贫对象",
  ]
  private static let matters = ["登记", "许可", "备案", "处罚", "核验", "年报", "缴费", "变更", "注销", "名录"]

  func run() async throws {
    let settings = try options.settings()
    _ = try await InitCommand.make(settings, clock: .system)
    let node = try await Node.open(settings)
    let cast = try await DemoCast.make(on: node)
    try cast.write(to: settings.data + "/accounts.json")
    let system = try await node.register.register(
      cast.officer,
      SystemFacts(
        name: "测量用业务系统", function: "测量", scope: "2", frequency: "1", approvedBy: "青海省发展和改革委员会",
        approvedOn: CalendarDate("2015-06-18"), fundSource: "省级财政", network: "2", stage: "4"))
    // Writers share a commit, so several at once are faster than one.
    try await withThrowingTaskGroup(of: Void.self) { group in
      let writers = 4
      for writer in 0..<writers {
        group.addTask {
          for index in stride(from: writer, to: resources, by: writers) {
            try await Self.publish(index, system.id, node, cast)
          }
        }
      }
      try await group.waitForAll()
    }
    // What the sequencer of a running node does within a second of each record.
    try await node.sequencer.sequenceAll()
    await node.database.close()
    Terminal.print("\(resources)")
  }

  private static func publish(_ index: Int, _ system: SystemID, _ node: Node, _ cast: DemoCast) async throws {
    let subject = subjects[index % subjects.count]
    let matter = matters[index / subjects.count % matters.count]
    let metadata = Metadata(
      name: "\(subject)\(matter)信息（\(index / 200 + 1) 号）", abstract: "全省\(subject)的\(matter)事项，由各级主管部门在业务办理中形成。",
      format: "0311", sharingType: "\(index % 2 + 1)", sharingCondition: "用于依法履行职责时核对\(subject)状态。", methodClass: "1",
      methodType: "1", openType: "3", cycle: "\(index % 6 + 2)")
    let now = node.clock.now()
    let items = [
      Item(id: .make(at: now), name: "统一社会信用代码", column: "uscc", dataType: "C", length: 18, isKey: true, type: .text),
      Item(id: .make(at: now), name: "\(subject)名称", column: "name", dataType: "C", length: 100, type: .text),
      Item(id: .make(at: now), name: "\(matter)日期", column: "handled_on", dataType: "D", type: .date),
    ]
    let draft = try await node.cataloguing.draft(cast.officer, system: system, metadata: metadata, items: items)
    _ = try await node.cataloguing.submit(cast.officer, draft.id)
    _ = try await node.cataloguing.decide(cast.operatorInChief, draft.id, .approve(publish: true))
  }
}
