"""Publish and consume governed events, right under crashes. Import from the modules: `platform/runtime/README.md` says where is what."""
