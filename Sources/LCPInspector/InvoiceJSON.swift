extension JSONText {
    package init(invoice: String) throws(InspectionError) { fatalError() }
}
