//! Cisco device configuration files (*.cnf.xml): read as they are, edited without harm, written whole.
