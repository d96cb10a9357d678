import Attachments
import Kernel
import Web

extension SharingRoutes {
  /// Material with a request: sent by the asking department, read by both and the operator.
  var material: [Route] {
    [
      .post(
        "/requests/{id}/attachments", .permission(.sharingRequest),
        // The form's own parts around the file.
        bodyLimit: attaching.attachments.mostBytes + 64 * 1024
      ) { request in
        let id: ShareRequestID = try request.id()
        do {
          guard let file = request.files.first(where: { $0.field == "file" }) else {
            throw Refusal.invalid("sharing.attachment.file", "file", Text("请选择文件。", "Choose a file."))
          }
          let kept = try await attaching.add(
            request.visitor(), id, .file(file.path), named: file.name, note: request.form["note"] ?? "")
          return .redirect(
            "/requests/\(id)#material", flash: Text("已添加“\(kept.name)”。", "Added “\(kept.name)”."))
        } catch let refusal as Refusal where [.invalid, .tooLarge].contains(refusal.kind) {
          return try await page(request, entered: request.form, refusal: refusal)
        }
      },
      .post("/requests/{id}/attachments/remove", .permission(.sharingRequest)) { request in
        let id: ShareRequestID = try request.id()
        guard let file = AttachmentID(request.form["attachment"] ?? "") else {
          throw Refusal.notFound(Text("材料", "material"))
        }
        try await attaching.remove(request.visitor(), id, file)
        return .redirect("/requests/\(id)#material", flash: Text("材料已移除。", "It was removed."))
      },
      .get("/requests/{id}/attachments/{file}", .permission(.sharingRead)) { request in
        let (file, bytes) = try await attaching.bytes(request.visitor(), request.id(), request.id("file"))
        return .download(bytes, type: file.kind.mediaType, name: file.name)
      },
    ]
  }
}
