import Attachments
import Kernel
import Web

/// Attachments of an entry by program: bytes as they are, one file a request.
enum AttachmentsAPI {
  static func routes(_ attaching: Attaching) -> [Route] { reading(attaching) + changing(attaching) }

  private static let readers: Access = .anyPermission([.readCatalog, .compileCatalog, .reviewCatalog])

  private static func reading(_ attaching: Attaching) -> [Route] {
    let version = QueryParameter(
      "version", Text("版本号；缺省为在用版本", "a version's number; the one in force by default"), Schema.number(1...1_000_000))
    return [
      Route.get(
        "/api/v1/catalog/resources/{id}/attachments", readers,
        summary: Text("一个版本的附件", "The attachments of a version")
      ) { request in
        let (resource, files) = try await attaching.list(
          request.visitor(), request.id(), version: try CatalogRoutes.version(request))
        return .json(["version": JSON(resource.version), "attachments": .array(files.map(json))])
      }.described(
        gives: Schema.object([("version", Schema.whole), ("attachments", Schema.list(one))]), query: [version]),
      Route.get(
        "/api/v1/catalog/resources/{id}/attachments/{file}", readers,
        summary: Text("一个附件的内容", "What an attachment holds")
      ) { request in
        let (file, bytes) = try await attaching.bytes(
          request.visitor(), request.id(), version: try CatalogRoutes.version(request), request.id("file"))
        return .download(bytes, type: "application/octet-stream", name: file.name)
      }.described(gives: bytes, as: "application/octet-stream", query: [version]),
    ]
  }

  private static func changing(_ attaching: Attaching) -> [Route] {
    [
      Route.post(
        "/api/v1/catalog/resources/{id}/attachments", .permission(.compileCatalog),
        bodyLimit: attaching.attachments.mostBytes,
        summary: Text(
          "为正在编制的版本添加附件：正文即文件内容", "Attach a file to the version that is being written: the body is the file")
      ) { request in
        do {
          let kept = try await attaching.add(
            request.visitor(), request.id(), .bytes(request.body), named: request.query["name"] ?? "",
            note: request.query["note"] ?? "")
          return .json(json(kept), status: 201)
        } catch var refusal as Refusal {
          // A page's field of the file is the body here, and its name a parameter.
          for index in refusal.faults.indices where refusal.faults[index].field == "file" {
            refusal.faults[index].field = refusal.code == "attachments.name" ? "name" : ""
          }
          throw refusal
        }
      }.taking(only: "application/octet-stream").described(
        takes: bytes, gives: one, status: 201,
        query: [
          QueryParameter("name", Text("文件名，含扩展名", "the file's name with its ending")),
          QueryParameter("note", Text("说明，如“不予共享依据”", "what it is, such as the legal basis for refusing to share")),
        ]),
      Route(
        .delete, "/api/v1/catalog/resources/{id}/attachments/{file}", .permission(.compileCatalog),
        summary: Text("移除正在编制的版本的附件", "Remove an attachment of the version that is being written")
      ) { request in
        try await attaching.remove(request.visitor(), request.id(), request.id("file"))
        return .json(["removed": .bool(true)])
      }.described(gives: Schema.object([("removed", Schema.flag)])),
    ]
  }

  private static func json(_ file: Attachment) -> JSON {
    [
      "id": .string(file.id.text), "name": .string(file.name), "kind": .string(file.kind.rawValue),
      "size": JSON(file.size), "sm3": .string(file.digest), "note": .string(file.note),
      "addedAt": .string(file.addedAt.description), "addedBy": .string(file.addedBy),
    ]
  }

  private static let bytes: JSON = ["type": "string", "format": "binary"]
  private static let one = Schema.object([
    ("id", Schema.id), ("name", Schema.text), ("kind", Schema.choice(FileKind.self)), ("size", Schema.whole),
    ("sm3", Schema.text), ("note", Schema.text), ("addedAt", Schema.moment), ("addedBy", Schema.text),
  ])
}
