import Attachments
import Catalog
import Demo
import Foundation
import Inventory
import Kernel
import Mounting
import Storage

@testable import App

/// Something of everything that waits, was taken away, or was found changed: so that every list of the interface has a line.
struct InterfaceScene {
  /// A folder of files of the officer's department, whose one file changed its columns since it was first read.
  let source: SourceID
  /// Drafts that were made of its tables.
  let batch: DraftBatchID
  /// The tie of the stage's own entry.
  let tie: TieID
  /// A draft that waits for the reviewer.
  let waiting: Resource
  /// The file that belongs to it.
  let attached: AttachmentID
  /// Something that came in from another catalogue system, with what did not fit.
  let moved: MoveRunID

  static func prepare(_ stage: Stage) async throws -> InterfaceScene {
    let (node, cast) = (stage.node, stage.cast)
    let system = stage.resource.system!
    let gone = try await published("企业迁出名单", system: system, on: node, cast)
    _ = try await node.cataloguing.online(cast.operatorInChief, gone.id, .takeDown, reason: "职能调整")
    let asking = try await published("企业注销名单", system: system, on: node, cast)
    _ = try await node.cataloguing.online(cast.officer, asking.id, .requestDown, reason: "停止更新")

    let today = node.clock.now().dateInChina
    for draft in [
      ClassDraft(code: "cj", parent: nil, name: "场景应用", from: today + -9),
      ClassDraft(code: "cj01", parent: "cj", name: "企业开办", from: today + -9, national: "210"),
    ] {
      try await node.cataloguing.addClass(cast.operatorInChief, draft)
    }
    var metadata = gone.metadata
    metadata.name = "企业开办名单"
    metadata.classes = ["cj01"]
    let moved = try await node.cataloguing.draft(cast.officer, system: system, metadata: metadata, items: fresh(gone))
    _ = try await node.cataloguing.submit(cast.officer, moved.id)
    _ = try await node.cataloguing.decide(cast.operatorInChief, moved.id, .approve(publish: true))
    try await node.cataloguing.retireClass(cast.operatorInChief, "cj01", on: today, successor: "210")

    metadata.name = "企业迁入名单"
    metadata.classes = ["203"]
    let draft = try await node.cataloguing.draft(cast.officer, system: system, metadata: metadata, items: fresh(gone))
    let attached = try await Attaching(cataloguing: node.cataloguing, attachments: node.attachments).add(
      cast.officer, draft.id, .bytes(Array("依据".utf8)), named: "依据.txt", note: "共享条件"
    ).id
    let waiting = try await node.cataloguing.submit(cast.officer, draft.id)

    let folder = stage.databases.providerPath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/lists"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func write(_ head: String) throws {
      try Data("\(head)\n1,2\n".utf8).write(to: URL(filePath: folder + "/branches.csv"))
    }
    try write("uscc,name")
    let source = try await node.register.addSource(
      cast.officer, system, SourceDraft(name: "名单文件", kind: "csv", settings: ["folder": folder])
    ).id
    let batch = try await node.mounting.draft(cast.officer, from: source, tables: nil)
    try await node.mounting.make(batch.id)
    try write("uscc,title")
    _ = try await node.mounting.survey(cast.officer, source)
    let id = stage.resource.id
    let tie = try await node.database.read { try TieStore.ties(of: id, in: $0) }.first
    return InterfaceScene(
      source: source, batch: batch.id, tie: tie!.id, waiting: waiting, attached: attached,
      moved: try await movedIn(stage, folder + "/old"))
  }

  /// An entry of the officer's department whose cycle the other system did not know.
  private static func movedIn(_ stage: Stage, _ folder: String) async throws -> MoveRunID {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, text) in [
      ("e", "i,n,o,s\n1,企业旧登记名单,\(stage.resource.providerName),5\n"), ("t", "e,n\n1,企业名称\n"),
    ] { try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name).csv")) }
    let mapping = try MoveMapping(
      json: """
        {"source":"jiu","title":"旧目录","codes":{"state":{"5":"published"}},"entries":{"table":"e",\
        "columns":{"id":"i","name":"n","officeName":"o","state":"s"}},"items":{"table":"t","columns":{"entry":"e","name":"n"}}}
        """)
    return try await stage.node.cataloguing.moveIn(from: folder, named: "旧目录", by: mapping, isTrial: false).run!
  }

  /// The same items for another entry.
  private static func fresh(_ resource: Resource) -> [Item] {
    resource.items.map { item in
      var item = item
      item.id = .make(at: resource.changedAt)
      return item
    }
  }
}
