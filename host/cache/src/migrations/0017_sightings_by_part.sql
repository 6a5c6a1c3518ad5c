-- Parts are asked for by their ids: whether another recording saw one, and what goes with a purge.
CREATE INDEX sightings_by_part ON sightings (part_id);
