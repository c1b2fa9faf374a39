//! The part of AXL that SIP OAuth needs: SOAP requests and answers as values.
