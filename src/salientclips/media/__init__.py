"""All that touches a media file: probing, demuxing, decoding, sound. The only room that imports `av`."""
