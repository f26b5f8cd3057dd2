# SPDX-License-Identifier: Apache-2.0
"""What the black-box tests share: starting programs, talking to them, and holding their answers against the contract."""
