import Kernel
import Web

extension IdentityRoutes {
  /// What was sent when its session was over, for the one who wrote it.
  var keptForms: [Route] {
    [
      .get("/account/kept/{id}", .signedIn) { request in
        guard let person = try request.visitor().person,
          let found = try await signIn.keptForm(try request.id(), of: person)
        else {
          return .redirect(
            "/",
            flash: Text(
              "没有为您保留的内容：已经再次提交，或者是别人填写的，或者已过保留期。",
              "Nothing is kept for you there: it was sent again, somebody else wrote it, or its time is over."))
        }
        let fields = try urlEncodedFields(found.form.fields.utf8)
        return .page(KeptFormPage.render(request, found.form, fields: fields, actingFor: found.actingFor))
      },
      .post("/account/kept/{id}/discard", .signedIn) { request in
        if let person = try request.visitor().person { try await signIn.forget(try request.id(), of: person) }
        return .redirect("/", flash: Text("已删除。", "Deleted."))
      },
    ]
  }
}
