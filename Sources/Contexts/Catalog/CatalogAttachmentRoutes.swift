internal import Attachments
internal import Inventory
internal import Kernel
package import Web

/// Attachments of an entry, and its form for paper with them.
package enum CatalogAttachmentRoutes {
  package static func routes(_ attaching: Attaching) -> [Route] {
    changing(attaching) + reading(attaching) + AttachmentsAPI.routes(attaching)
  }

  private static func changing(_ attaching: Attaching) -> [Route] {
    [
      .get("/catalog/resources/{id}/attachments", .permission(.compileCatalog)) { request in
        .page(try await page(request, attaching, refusal: nil))
      },
      .post(
        "/catalog/resources/{id}/attachments", .permission(.compileCatalog),
        // The form's own parts around the file.
        bodyLimit: attaching.attachments.mostBytes + 64 * 1024
      ) { request in
        let id: ResourceID = try request.id()
        do {
          guard let file = request.files.first(where: { $0.field == "file" }) else {
            throw Refusal.invalid("catalog.attachment.file", "file", Text("请选择文件。", "Choose a file."))
          }
          let kept = try await attaching.add(
            request.visitor(), id, .file(file.path), named: file.name, note: request.form["note"] ?? "")
          return .redirect(
            AttachmentLink.list(id), flash: Text("已添加附件“\(kept.name)”。", "Attached “\(kept.name)”."))
        } catch let refusal as Refusal where [.invalid, .tooLarge, .conflict].contains(refusal.kind) {
          return .page(try await page(request, attaching, refusal: refusal))
        }
      },
      .post("/catalog/resources/{id}/attachments/remove", .permission(.compileCatalog)) { request in
        let id: ResourceID = try request.id()
        guard let file = AttachmentID(request.form["attachment"] ?? "") else {
          throw Refusal.notFound(Text("附件", "attachment"))
        }
        try await attaching.remove(request.visitor(), id, file)
        return .redirect(AttachmentLink.list(id), flash: Text("附件已移除。", "The attachment was removed."))
      },
    ]
  }

  private static func reading(_ attaching: Attaching) -> [Route] {
    let readers: Access = .anyPermission([.readCatalog, .compileCatalog, .reviewCatalog])
    return [
      .get("/catalog/resources/{id}/attachments/{file}", readers) { request in
        let (file, bytes) = try await attaching.bytes(
          request.visitor(), request.id(), version: try CatalogRoutes.version(request), request.id("file"))
        return .download(bytes, type: file.kind.mediaType, name: file.name)
      },
      .get("/catalog/resources/{id}/print", readers) { request in
        let (form, resource) = try await form(request, attaching, inBundle: false)
        return .page(
          form.page(
            request, section: .catalog,
            trail: [
              catalogTrail,
              (Text(same: resource.metadata.name), CatalogLink.resource(resource.id, version: resource.version)),
            ],
            tools: buttonLink(
              request.language("下载本表和附件（ZIP）", "Form and attachments (ZIP)"),
              href: AttachmentLink.bundle(resource.id, version: resource.version), .primary)))
      },
      .get("/catalog/resources/{id}/bundle.zip", readers) { request in
        let (form, resource) = try await form(request, attaching, inBundle: true)
        let (_, files) = try await attaching.list(request.visitor(), resource.id, version: resource.version)
        let name = Attachment.plainName(resource.metadata.name)
        let document = form.document(request.language, at: request.now, printedBy: try request.visitor().name)
        return .download(
          try await attaching.bundle(document, named: name.isEmpty ? "form" : name, resource, files),
          type: "application/zip", name: "\(name).zip")
      },
    ]
  }

  /// Where files are added and removed, or why they cannot be now.
  private static func page(_ request: Request, _ attaching: Attaching, refusal: Refusal?) async throws -> Page {
    let principal = try request.visitor()
    let latest = try await attaching.cataloguing.draftView(principal, request.id()).resource
    let (resource, files) = try await attaching.list(principal, latest.id, version: latest.version)
    return attachmentsPage(request, resource, files, attaching.attachments, refusal: refusal)
  }

  private static func form(
    _ request: Request, _ attaching: Attaching, inBundle: Bool
  ) async throws -> (PrintedForm, Resource) {
    let principal = try request.visitor()
    let view = try await attaching.cataloguing.view(
      principal, request.id(), version: try CatalogRoutes.version(request))
    let (resource, files) = try await attaching.list(
      principal, view.resource.id, version: view.resource.version)
    let enclosures = try await attaching.enclosures(resource, files)
    return (
      ResourcePrint(
        t: request.language, view: view, lists: attaching.cataloguing.lists,
        classification: attaching.cataloguing.classification, enclosures: enclosures, inBundle: inBundle
      ).form, resource
    )
  }
}
